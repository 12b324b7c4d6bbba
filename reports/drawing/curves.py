"""Curves of loss and accuracy over epochs, for the figures of trainings."""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator, PercentFormatter

from bench.record import EpochModel
from reports.drawing.style import GREY, MARKERS
from reports.results.accuracy import Accuracy
from reports.results.summary import SummaryRow
from reports.text import percent

MOST_MARKERS = 20
EpochValue: TypeAlias = Callable[[EpochModel], float]


def curves(
    rows: Sequence[tuple[SummaryRow, Accuracy]],
    colours: dict[str, str],
    *,
    own_end: bool = False,
) -> Figure:
    """Return a figure with loss on the left and accuracy on the right, two lines per cell.

    `own_end` marks the last epoch of the workload's own trainings.
    """
    figure = Figure(figsize=(7.5, 3.4), layout="constrained")
    left, right = figure.subplots(1, 2)
    handles: list[Line2D] = []
    for (row, measured), marker in zip(rows, markers(rows), strict=True):
        colour = colours[row.results.cell.backend]
        draw(left, measured, (train_loss, test_loss), colour, marker)
        draw(right, measured, (train_accuracy, test_accuracy), colour, marker)
        handles.append(Line2D([], [], color=colour, marker=marker, label=row.results.title))
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
    """Return the marker of each row: a marker stands for a device, a colour for a backend."""
    devices = list(dict.fromkeys(row.results.device for row, _ in rows))
    return [MARKERS[devices.index(row.results.device) % len(MARKERS)] for row, _ in rows]


def draw(
    axes: Axes, measured: Accuracy, values: tuple[EpochValue, EpochValue], colour: str, marker: str
) -> None:
    """Draw train dashed and hollow, test solid; markers are left out if they hide the line."""
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
            label=f"published test accuracy, {percent(published)}",
        )  # fmt: skip


def last_epoch_lines(panels: Sequence[Axes], row: SummaryRow) -> Iterator[Line2D]:
    """Mark the end of the workload's own trainings; yield one legend entry for both panels."""
    if row.accuracy is None:
        return
    lines = [axes.axvline(row.accuracy.epochs, color=GREY, linestyle="-.", lw=1) for axes in panels]
    lines[0].set_label(f"epoch {row.accuracy.epochs}")
    yield lines[0]


def finish(axes: Axes, quantity: str) -> None:
    axes.grid(visible=True)
    axes.set_title(quantity)
    axes.set_xlabel("epoch")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
