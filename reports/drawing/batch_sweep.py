"""The batch sweep: throughput over the batch size."""

from collections.abc import Iterator, Sequence
from itertools import groupby

from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator

from reports.drawing.files import figure_files
from reports.drawing.style import MARKERS, backend_colours, house_style, round_ticks
from reports.results import batch_sweep
from reports.results.cells import CellResults, workloads
from reports.results.names import framework
from reports.results.report import Report

LINES = ("-", "--", ":", "-.")


def figure_file(workload: str) -> str:
    return f"batch-{workload}.png"


def figures(report: Report) -> Iterator[tuple[str, bytes]]:
    """Yield the files of a figure per workload with several batch sizes, by name."""
    colours = backend_colours(report.cells)
    with house_style():
        for name in workloads(report.sweep):
            cells = [results for results in report.sweep if results.cell.workload == name]
            title = f"{name}: throughput of the training step over the batch size"
            yield from figure_files(figure_file(name), lines(cells, colours), title, report)


def lines(cells: Sequence[CellResults], colours: dict[str, str]) -> Figure:
    """Return a figure with a line per backend and execution, all but its batch size."""
    figure = Figure(figsize=(7.5, 4.2), layout="constrained")
    axes = figure.subplots()
    ways = sorted({way_of(results) for results in cells})
    for _, group in groupby(cells, key=batch_sweep.line):
        line = list(group)
        sizes = [results.cell.execution.batch_size for results in line]
        seconds = map(batch_sweep.seconds, line)
        way = ways.index(way_of(line[0]))
        axes.plot(
            sizes, [size / step for size, step in zip(sizes, seconds, strict=True)],
            linestyle=LINES[way % len(LINES)], marker=MARKERS[way % len(MARKERS)], markersize=5,
            color=colours[line[0].cell.backend],
            label=f"{framework(line[0].cell.backend)} ({way_of(line[0])})",
        )  # fmt: skip
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    round_ticks(axes.xaxis)
    round_ticks(axes.yaxis)
    axes.xaxis.set_major_locator(
        FixedLocator(sorted({results.cell.execution.batch_size for results in cells}))
    )
    axes.set_xlabel("batch size (log scale)")
    axes.set_ylabel("images per second, step lane (log scale)")
    axes.grid(visible=True)
    figure.legend(loc="outside lower center", ncols=3)
    return figure


def way_of(results: CellResults) -> str:
    """Return the execution without the batch size, as the cell's name has it."""
    return results.device.removesuffix(f", batch {results.cell.execution.batch_size}")
