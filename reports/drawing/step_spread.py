"""The spread of single steps: the distribution of their times."""

from collections.abc import Iterator, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import PercentFormatter

from reports.drawing.style import backend_colours, house_style, label, png, round_ticks
from reports.results.cells import CellResults, group_by_device, workloads
from reports.results.report import Report
from reports.text import file_name

COLUMNS = 2
# a curve of thousands of steps looks the same with as many points as a panel has pixels
SHARES = np.linspace(0, 1, 401)
# the slowest steps of thousands would squeeze all others to the left; the table has them
MOST_SHOWN = 0.995
TICKS = (1, 1.5, 2, 3, 4, 5, 7)
STYLES = ("-", "--", ":", "-.")


def figure_file(device: str) -> str:
    return f"steps-{file_name(device)}.png"


def figures(report: Report) -> Iterator[tuple[str, bytes]]:
    """Yield a figure per device with single steps, as file name and PNG."""
    colours = backend_colours(report.cells)
    with house_style():
        for device, cells in group_by_device(
            one for one in report.cells if one.single_steps
        ).items():
            yield figure_file(device), png(panels(cells, colours), report.stamp)


def panels(cells: Sequence[CellResults], colours: dict[str, str]) -> Figure:
    """Return a figure with a panel per workload, each with a logarithmic scale of its own."""
    names = workloads(cells)
    rows = -(-len(names) // COLUMNS)
    columns = min(len(names), COLUMNS)
    figure = Figure(figsize=(7.5, 0.6 + 2.5 * rows), layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False)
    for axes, name in zip(grid.flat, names, strict=False):
        draw(axes, name, [one for one in cells if one.cell.workload == name], colours)
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
    """Return the line of a cell: one per way of running, so that a colour is one backend."""
    ways = list(dict.fromkeys(one.device for one in cells))
    return STYLES[ways.index(results.device) % len(STYLES)]


def legend(cells: Sequence[CellResults], colours: dict[str, str]) -> list[Line2D]:
    names = {label(one).replace("\n", ", "): one for one in cells}
    return [
        Line2D([], [], color=colours[one.cell.backend], ls=style(one, cells), label=name)
        for name, one in names.items()
    ]
