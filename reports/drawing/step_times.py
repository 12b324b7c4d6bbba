"""The time per step: bars of the native and the step lane."""

from collections.abc import Iterator, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from bench.stats import Estimate
from reports.drawing.files import figure_files
from reports.drawing.style import GREY, backend_colours, house_style, lighten, workload_panels
from reports.results.cells import CellResults, group_by_device
from reports.results.report import Report
from reports.text import centre, file_name

BAR = 0.38


def figure_file(device: str) -> str:
    return f"step-time-{file_name(device)}.png"


def figures(report: Report) -> Iterator[tuple[str, bytes]]:
    """Yield the files of a figure per device with a time per step, by name."""
    colours = backend_colours(report.cells)
    with house_style():
        for device, timed in group_timed_cells(report.cells).items():
            title = f"Time per training step on {device}, shorter is better"
            yield from figure_files(figure_file(device), step_times(timed, colours), title, report)


def group_timed_cells(cells: Sequence[CellResults]) -> dict[str, list[CellResults]]:
    """Group the cells that have a time per step by device."""
    return group_by_device(
        results for results in cells if any(value is not None for value in lanes(results))
    )


def lanes(results: CellResults) -> tuple[Estimate | None, Estimate | None]:
    """Return the seconds per step of the native and of the step lane."""
    speed = results.speed
    return (None, None) if speed is None else (speed.native_seconds, speed.step_seconds)


def step_times(cells: Sequence[CellResults], colours: dict[str, str]) -> Figure:
    """Return a figure with a panel per workload, each with its own scale, and two bars per cell."""
    figure, panels = workload_panels(cells, 0.46)
    for axes, panel in panels:
        step_time_panel(axes, panel, colours)
    panels[-1][0].set_xlabel(quantity(cells))
    keys = [
        Patch(color=GREY, label="full training loop"),
        Patch(color=lighten(GREY), label="training step"),
    ]
    figure.legend(handles=keys, loc="outside lower center", ncols=2)
    return figure


def quantity(cells: Sequence[CellResults]) -> str:
    """Return the label of the x axis; it mentions the interval only if a bar has an interval."""
    devices = sorted({results.cell.execution.device for results in cells})
    bars = [value for results in cells for value in lanes(results) if value is not None]
    line = (
        " (line: 95 % interval over trials)" if any(value.low is not None for value in bars) else ""
    )
    return f"milliseconds per step on {', '.join(devices)}{line}"


def step_time_panel(axes: Axes, cells: Sequence[CellResults], colours: dict[str, str]) -> None:
    for place, results in enumerate(cells):
        colour = colours[results.cell.backend]
        native, step = lanes(results)
        bar(axes, place - BAR / 2, native, colour)
        bar(axes, place + BAR / 2, step, lighten(colour))
    # room for the number at the right of the longest bar
    axes.set_xlim(0, axes.get_xlim()[1] * 1.1)


def bar(axes: Axes, place: float, value: Estimate | None, colour: str) -> None:
    """Draw one bar in milliseconds, its interval, and its number to the right of both."""
    if value is None:
        return
    length = 1e3 * value.value
    low, high = (1e3 * (value.value if end is None else end) for end in (value.low, value.high))
    axes.barh(place, length, height=BAR, color=colour)
    if value.low is not None:
        axes.plot([low, high], [place, place], color="black", linewidth=1.2)
    axes.annotate(
        centre(value, 1e3), (max(length, high), place), xytext=(4, 0),
        textcoords="offset points", va="center", fontsize=8,
    )  # fmt: skip
