"""Time per image over the batch size."""

from collections.abc import Iterator, Sequence
from itertools import groupby

import matplotlib.style
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator

from reports.drawing.style import MARKERS, STYLE, backend_colours, png, round_ticks
from reports.results.batch_sweep import line_of, seconds, swept
from reports.results.cells import CellResults, workloads


def sweep_file(workload: str) -> str:
    return f"batch-{workload}.png"


LINES = ("-", "--", ":", "-.")


def sweep_figures(cells: Sequence[CellResults], stamp: str = "") -> Iterator[tuple[str, bytes]]:
    """File name and PNG of a figure for each workload that was swept."""
    found = swept(cells)
    with matplotlib.style.context(["default", STYLE]):
        for name in workloads(found):
            there = [one for one in found if one.cell.workload == name]
            yield sweep_file(name), png(over_batch(name, there, backend_colours(cells)), stamp)


def over_batch(name: str, found: Sequence[CellResults], colours: dict[str, str]) -> Figure:
    figure = Figure(figsize=(7.5, 4.2), layout="constrained")
    axes = figure.subplots()
    ways = sorted({way_of(one) for one in found})
    for _, group in groupby(found, key=line_of):
        line = list(group)
        sizes = [one.cell.execution.batch_size for one in line]
        way = ways.index(way_of(line[0]))
        axes.plot(
            sizes, [size / seconds(one) for size, one in zip(sizes, line, strict=True)],
            linestyle=LINES[way % len(LINES)], marker=MARKERS[way % len(MARKERS)], markersize=5,
            color=colours[line[0].cell.backend],
            label=f"{line[0].cell.backend} ({way_of(line[0])})",
        )  # fmt: skip
    axes.set_title(f"{name}: throughput of the train step")
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    round_ticks(axes.xaxis)
    round_ticks(axes.yaxis)
    axes.xaxis.set_major_locator(
        FixedLocator(sorted({one.cell.execution.batch_size for one in found}))
    )
    axes.set_xlabel("batch size (log scale)")
    axes.set_ylabel("images per second, step lane (log scale)")
    axes.grid(visible=True)
    figure.legend(loc="outside lower center", ncols=3)
    return figure


def way_of(results: CellResults) -> str:
    """Device, mode and the like, without the batch size."""
    return results.device.removesuffix(f", batch {results.cell.execution.batch_size}")
