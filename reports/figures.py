"""The figures, as PNG bytes: one style, one colour a backend, Matplotlib without global state."""

import io
import platform
from collections.abc import Callable, Iterator, Sequence
from importlib import metadata
from itertools import cycle
from typing import TypeAlias

import matplotlib.style
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import (
    LogLocator,
    MaxNLocator,
    NullLocator,
    PercentFormatter,
    StrMethodFormatter,
)

from bench.record import EpochModel
from bench.stats import Estimate
from reports.accuracy import Accuracy
from reports.cells import CellResults, backends, by_device, workloads
from reports.png import SOFTWARE
from reports.tables import SummaryRow
from reports.text import centre, file_name

# Okabe and Ito (2008): told apart with every common form of colour blindness; yellow left out.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
MARKERS = ("o", "s", "^", "D", "v")
GREY = "#666666"
PALER = 0.55
BAR = 0.38
MOST_MARKERS = 20
# what decides, for one figure, which bytes come out: the picture, its compression, the arithmetic
DRAWN_BY = (
    f"matplotlib {metadata.version('matplotlib')}, pillow {metadata.version('pillow')}, "
    f"{platform.machine()}"
)
STYLE = {
    "figure.dpi": 150,
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 10,
    "axes.axisbelow": True,
    "grid.color": "#DDDDDD",
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    # names come from records; a dollar sign in one is not a formula
    "text.parse_math": False,
}
EpochValue: TypeAlias = Callable[[EpochModel], float]


def all_figures(rows: Sequence[SummaryRow], stamp: str = "") -> Iterator[tuple[str, bytes]]:
    """File name and PNG of every figure that the records allow, each under the stamp."""
    cells = [row.results for row in rows]
    colours = backend_colours(cells)
    # "default" first: a user's own matplotlibrc must not change a report
    with matplotlib.style.context(["default", STYLE]):
        for device, timed in timed_by_device(cells).items():
            yield step_time_file(device), png(step_times(timed, colours), stamp)
        for name in workloads(cells):
            trained = [row for row in rows if row.results.cell.workload == name and row.accuracy]
            if trained:
                shown = [(row, row.accuracy) for row in trained if row.accuracy]
                yield curves_file(name), png(curves(shown, colours), stamp)
            longer = [(row, row.results.longer) for row in trained if row.results.longer]
            if longer:
                yield longer_file(name), png(curves(longer, colours, own_end=True), stamp)


def step_time_file(device: str) -> str:
    return f"step-time-{file_name(device)}.png"


def curves_file(workload: str) -> str:
    return f"curves-{file_name(workload)}.png"


def longer_file(workload: str) -> str:
    return f"longer-{file_name(workload)}.png"


def backend_colours(cells: Sequence[CellResults]) -> dict[str, str]:
    """A colour for each backend of the run, by the order of names."""
    return dict(zip(backends(cells), cycle(COLOURS), strict=False))


def timed_by_device(cells: Sequence[CellResults]) -> dict[str, list[CellResults]]:
    """Cells with a time per step."""
    return by_device(
        results for results in cells if any(value is not None for value in lanes(results))
    )


def lanes(results: CellResults) -> tuple[Estimate | None, Estimate | None]:
    """Seconds per step of the native and of the step lane."""
    speed = results.speed
    return (None, None) if speed is None else (speed.native_seconds, speed.step_seconds)


def step_times(cells: Sequence[CellResults], colours: dict[str, str]) -> Figure:
    """A panel a workload, each with its own scale from zero; two bars a cell."""
    figure, panels = workload_panels(cells, 0.46)
    for axes, panel in panels:
        step_time_panel(axes, panel, colours)
    panels[-1][0].set_xlabel(quantity(cells))
    keys = [
        Patch(color=GREY, label="native: the framework's own loop"),
        Patch(color=paler(GREY), label="step: the train step alone"),
    ]
    figure.legend(handles=keys, loc="outside lower center", ncols=2)
    return figure


def quantity(cells: Sequence[CellResults]) -> str:
    """The x axis in words; of an interval only where a bar has one."""
    devices = sorted({results.cell.execution.device for results in cells})
    bars = [value for results in cells for value in lanes(results) if value is not None]
    line = " (line: 95 % interval over trials)" if any(one.low is not None for one in bars) else ""
    return f"milliseconds per step on {', '.join(devices)}{line}"


def paler(colour: str) -> str:
    """The colour mixed with white; not transparent, or the grid would show through a bar."""
    red, green, blue = (1 - (1 - part) * (1 - PALER) for part in to_rgb(colour))
    return to_hex((red, green, blue))


def workload_panels(
    cells: Sequence[CellResults], inches: float
) -> tuple[Figure, list[tuple[Axes, list[CellResults]]]]:
    """A figure with a panel for each workload, its cells below each other, so high each."""
    names = workloads(cells)
    parts = [[one for one in cells if one.cell.workload == name] for name in names]
    heights = [len(part) + 0.8 for part in parts]
    figure = Figure(figsize=(7.5, 0.8 + inches * sum(heights)), layout="constrained")
    grid = figure.subplots(len(parts), 1, squeeze=False, height_ratios=heights)[:, 0]
    for axes, name, part in zip(grid, names, parts, strict=True):
        axes.set_title(name)
        axes.grid(visible=True, axis="x")
        axes.set_yticks(range(len(part)), [label(one) for one in part])
        axes.set_ylim(len(part) - 0.5, -0.5)
        axes.tick_params(axis="y", length=0)
    return figure, list(zip(grid, parts, strict=True))


def step_time_panel(axes: Axes, cells: Sequence[CellResults], colours: dict[str, str]) -> None:
    for place, results in enumerate(cells):
        colour = colours[results.cell.backend]
        native, step = lanes(results)
        bar(axes, place - BAR / 2, native, colour)
        bar(axes, place + BAR / 2, step, paler(colour))
    # room at the right for the number that stands after the longest bar
    axes.set_xlim(0, axes.get_xlim()[1] * 1.1)


def bar(axes: Axes, place: float, value: Estimate | None, colour: str) -> None:
    """One bar in milliseconds, its interval, and its number behind both."""
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


def label(results: CellResults) -> str:
    """The backend, and what of the execution isn't the device, which the figure is about."""
    parts = results.device.split(", ")[1:]
    return "\n".join([results.cell.backend, *([", ".join(parts)] if parts else [])])


def curves(
    rows: Sequence[tuple[SummaryRow, Accuracy]],
    colours: dict[str, str],
    *,
    own_end: bool = False,
) -> Figure:
    """Loss at the left, accuracy at the right; a line for train and one for test in each cell.

    `own_end` marks the last epoch of the workload's own trainings.
    """
    figure = Figure(figsize=(7.5, 3.4), layout="constrained")
    left, right = figure.subplots(1, 2)
    handles: list[Line2D] = []
    for (row, measured), marker in zip(rows, markers(rows), strict=True):
        colour = colours[row.results.cell.backend]
        draw(left, measured, (train_loss, test_loss), colour, marker)
        draw(right, measured, (train_accuracy, test_accuracy), colour, marker)
        handles.append(Line2D([], [], color=colour, marker=marker, label=row.results.name))
    handles += [
        Line2D([], [], color=GREY, linestyle="--", marker="o", mfc="white", label="train"),
        Line2D([], [], color=GREY, marker="o", label="test"),
        *published_line(right, rows[0][0]),
    ]
    if own_end:
        handles += last_epoch_lines((left, right), rows[0][0])
    finish(left, "cross-entropy loss")
    left.set_ylim(0, 1.05 * left.dataLim.y1 or 1.0)
    finish(right, "accuracy")
    right.yaxis.set_major_formatter(PercentFormatter(1.0, symbol=" %"))
    figure.legend(handles=handles, loc="outside lower center", ncols=min(len(handles), 3))
    return figure


def train_loss(epoch: EpochModel) -> float:
    return epoch.train_loss


def test_loss(epoch: EpochModel) -> float:
    return epoch.test_loss


def train_accuracy(epoch: EpochModel) -> float:
    return epoch.train_accuracy


def test_accuracy(epoch: EpochModel) -> float:
    return epoch.test_accuracy


def markers(rows: Sequence[tuple[SummaryRow, Accuracy]]) -> list[str]:
    """A marker for each device, so that one colour can stay one backend."""
    devices = list(dict.fromkeys(row.results.device for row, _ in rows))
    return [MARKERS[devices.index(row.results.device) % len(MARKERS)] for row, _ in rows]


def draw(
    axes: Axes, measured: Accuracy, values: tuple[EpochValue, EpochValue], colour: str, marker: str
) -> None:
    """Train dashed and hollow, test solid; markers only while they don't hide the line."""
    epochs = range(1, len(measured.curve(values[0])) + 1)
    shown = marker if len(epochs) <= MOST_MARKERS else ""
    for value, style, face in zip(values, ("--", "-"), ("white", colour), strict=True):
        axes.plot(
            epochs, measured.curve(value), style, color=colour, marker=shown, markersize=4,
            markerfacecolor=face, linewidth=1.4,
        )  # fmt: skip


def published_line(axes: Axes, row: SummaryRow) -> Iterator[Line2D]:
    published = row.published_accuracy
    if published is not None:
        yield axes.axhline(
            published, color=GREY, linestyle=":", linewidth=1.4,
            label=f"published test accuracy, {100 * published:.2f} %",
        )  # fmt: skip


def last_epoch_lines(both: Sequence[Axes], row: SummaryRow) -> Iterator[Line2D]:
    """Where the workload's own trainings end; one entry of the legend for both panels."""
    if row.accuracy is None:
        return
    lines = [axes.axvline(row.accuracy.epochs, color=GREY, linestyle="-.", lw=1) for axes in both]
    lines[0].set_label(f"epoch {row.accuracy.epochs}")
    yield lines[0]


def round_ticks(axis: Axis, ticks: Sequence[float] = (1, 2, 5)) -> None:
    """On a log scale these and their tenfold, written out."""
    axis.set_major_locator(LogLocator(subs=ticks))
    axis.set_major_formatter(StrMethodFormatter("{x:,g}"))
    axis.set_minor_locator(NullLocator())


def finish(axes: Axes, quantity: str) -> None:
    axes.grid(visible=True)
    axes.set_title(quantity)
    axes.set_xlabel("epoch")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))


def png(figure: Figure, stamp: str) -> bytes:
    """The figure's PNG, with what drew it: the same gives the same bytes.

    The stamp is a part of the picture: figures travel without their report.
    """
    content = io.BytesIO()
    if stamp:
        figure.suptitle(stamp, fontsize=9, fontweight="bold")
    FigureCanvasAgg(figure)
    figure.savefig(content, format="png", metadata={SOFTWARE: DRAWN_BY})
    return content.getvalue()
