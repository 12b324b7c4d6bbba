"""The spread of single steps: the distribution of their times."""

from collections.abc import Iterator, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import PercentFormatter

from reports.drawing.files import figure_files
from reports.drawing.style import backend_colours, house_style, label, round_ticks
from reports.results.cells import CellResults, group_by_device, workloads
from reports.results.report import Report
from reports.text import file_name

COLUMNS = 2
# a curve needs no more points than a panel has pixels
SHARES = np.linspace(0, 1, 401)
# the slowest steps would squeeze all others to the left; the table has them
MOST_SHOWN = 0.995
TICKS = (1, 1.5, 2, 3, 4, 5, 7)
STYLES = ("-", "--", ":", "-.")


def figure_file(device: str) -> str:
    return f"steps-{file_name(device)}.png"


def figures(report: Report) -> Iterator[tuple[str, bytes]]:
    """Yield the files of a figure per device with single steps, by name."""
    colours = backend_colours(report.cells)
    step_cells = (results for results in report.cells if results.single_steps)
    with house_style():
        for device, cells in group_by_device(step_cells).items():
            title = f"Share of training steps that took at most so long on {device}"
            yield from figure_files(figure_file(device), panels(cells, colours), title, report)


def panels(cells: Sequence[CellResults], colours: dict[str, str]) -> Figure:
    """Return a figure with a panel per workload, each with a logarithmic scale of its own."""
    names = workloads(cells)
    rows = -(-len(names) // COLUMNS)
    columns = min(len(names), COLUMNS)
    figure = Figure(figsize=(7.5, 0.6 + 2.5 * rows), layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False)
    for axes, name in zip(grid.flat, names, strict=False):
        draw(axes, name, [results for results in cells if results.cell.workload == name], colours)
    for axes in grid.flat[len(names) :]:
        axes.set_visible(False)
    handles = legend(cells, colours)
    figure.legend(handles=handles, loc="outside lower center", ncols=min(len(handles), 3))
    return figure


def draw(axes: Axes, name: str, cells: Sequence[CellResults], colours: dict[str, str]) -> None:
    axes.set_title(name)
    axes.set_xscale("log")
    for results in cells:
        steps = 1e3 * np.asarray(results.single_steps)
        axes.plot(
            np.quantile(steps, SHARES[SHARES <= MOST_SHOWN]), SHARES[SHARES <= MOST_SHOWN],
            style(results, cells), color=colours[results.cell.backend], linewidth=1.4,
        )  # fmt: skip
    axes.set_xlabel("ms per step, each waited for (log scale)")
    axes.set_ylim(0, 1)
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, symbol=" %"))
    round_ticks(axes.xaxis, TICKS)
    axes.grid(visible=True)


def style(results: CellResults, cells: Sequence[CellResults]) -> str:
    """Return the line style of a cell: a style stands for an execution, a colour for a backend."""
    ways = list(dict.fromkeys(other.device for other in cells))
    return STYLES[ways.index(results.device) % len(STYLES)]


def legend(cells: Sequence[CellResults], colours: dict[str, str]) -> list[Line2D]:
    names = {label(results).replace("\n", ", "): results for results in cells}
    return [
        Line2D([], [], color=colours[results.cell.backend], ls=style(results, cells), label=name)
        for name, results in names.items()
    ]
