"""The figure of a comparison: a row a cell, a panel a lane, ratios on a logarithmic axis."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import matplotlib.style
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import (
    FixedLocator,
    LogLocator,
    MaxNLocator,
    NullLocator,
    StrMethodFormatter,
)

from bench.spec import Cell
from bench.stats import Estimate, Verdict
from reports.compare.pairs import LEAST_BETWEEN_RUNS, ComparedCell
from reports.drawing.style import COLOURS, GREY, STYLE, png
from reports.results.speed_verdicts import LANES
from reports.sections.speed_verdicts import percent
from reports.text import image, printable

MOST_ROWS = 40
# verdict to marker, colour and face: told apart by shape alone as well
MARKS = {
    Verdict.FASTER: ("<", COLOURS[0], COLOURS[0]),
    Verdict.SLOWER: (">", COLOURS[1], COLOURS[1]),
    Verdict.SAME: ("s", COLOURS[2], COLOURS[2]),
    Verdict.AMBIGUOUS: ("o", GREY, "white"),
}
BAND = "#EEEEEE"
# the axis reaches so far at least, or a band of 5 % would fill it
NARROWEST = 1.1
# beyond it 1, 2, 5, 10 are marks enough
LONG_AXIS = 4.0


@dataclass(frozen=True, kw_only=True)
class Page:
    """What one figure shows: up to `MOST_ROWS` cells of one run on one device."""

    file: str
    first: str
    run: str
    device: str
    rows: tuple[Cell, ...]
    cells: tuple[ComparedCell, ...]

    def link(self, folder: str) -> str:
        """Markdown; the alternative text says where the same numbers stand."""
        return image(
            f"Time per step of {self.run} over that of {self.first} on {self.device}: a row a "
            "cell, a panel a lane, 95 % intervals, verdicts by colour and shape; the same numbers "
            "are in the table below",
            f"{folder}/{self.file}",
        )


def pages(first: str, cells: Sequence[ComparedCell]) -> tuple[Page, ...]:
    """Of the cells that have a ratio; `first` names the first run."""
    groups: dict[tuple[str, str], list[ComparedCell]] = {}
    for one in cells:
        if one.comparison is not None:
            groups.setdefault((one.run, one.first.cell.execution.device), []).append(one)
    parts = [(*key, part) for key, group in groups.items() for part in in_parts(group)]
    return tuple(
        Page(
            file=f"ratios-{number}.png", first=first, run=run, device=device, rows=rows,
            cells=tuple(one for one in groups[run, device] if one.first.cell in rows),
        )
        for number, (run, device, rows) in enumerate(parts, 1)
    )  # fmt: skip


def in_parts(group: Sequence[ComparedCell]) -> Iterator[tuple[Cell, ...]]:
    rows = list(dict.fromkeys(one.first.cell for one in group))
    for start in range(0, len(rows), MOST_ROWS):
        yield tuple(rows[start : start + MOST_ROWS])


def figures(found: Sequence[Page]) -> Iterator[tuple[str, bytes]]:
    """File name and PNG of each."""
    with matplotlib.style.context(["default", STYLE]):
        for page in found:
            yield page.file, png(forest(page), "")


def forest(page: Page) -> Figure:
    figure = Figure(figsize=(9, 1.7 + 0.23 * len(page.rows)), layout="constrained")
    panels = figure.subplots(1, len(LANES), sharex=True, sharey=True)
    labels = {one.first.cell: label(one) for one in page.cells}
    for axes, lane in zip(panels, LANES, strict=True):
        panel(axes, lane, page)
    scale(panels[0], page.cells)
    panels[0].set_yticks(range(len(page.rows)), [labels[cell] for cell in page.rows], fontsize=8)
    panels[0].set_ylim(len(page.rows) - 0.4, -0.6)
    figure.suptitle(printable(f"{page.run} against {page.first}, on {page.device}"), fontsize=9)
    figure.legend(handles=keys(), loc="outside lower center", ncols=len(MARKS) + 1)
    return figure


def panel(axes: Axes, lane: str, page: Page) -> None:
    axes.set_title(f"{lane} lane")
    axes.axvspan(1 / (1 + LEAST_BETWEEN_RUNS), 1 + LEAST_BETWEEN_RUNS, color=BAND, zorder=0)
    axes.axvline(1, color=GREY, linewidth=0.8)
    axes.grid(visible=True, axis="x")
    axes.set_xlabel("times as long (log scale; line: 95 % interval)")
    axes.tick_params(axis="y", length=0)
    for one in page.cells:
        if one.lane == lane and one.comparison is not None and one.verdict is not None:
            mark(axes, page.rows.index(one.first.cell), one.comparison.ratio, one.verdict)


def mark(axes: Axes, place: int, ratio: Estimate, verdict: Verdict) -> None:
    shape, colour, face = MARKS[verdict]
    axes.plot(ends(ratio), [place, place], color=colour, linewidth=1.4)
    axes.plot(ratio.value, place, shape, color=colour, markerfacecolor=face, markersize=6)


def ends(ratio: Estimate) -> tuple[float, float]:
    """Of the interval; the ratio itself where there is none."""
    if ratio.low is None or ratio.high is None:
        return ratio.value, ratio.value
    return ratio.low, ratio.high


def label(one: ComparedCell) -> str:
    """Workload, backend, and what of the execution isn't the device, which the figure is about."""
    cell = one.first.cell
    how = ", ".join(one.first.device.split(", ")[1:])
    return printable(f"{cell.workload}: {cell.backend}{f' ({how})' if how else ''}")


def scale(axes: Axes, cells: Sequence[ComparedCell]) -> None:
    reached = [end for one in cells if one.comparison for end in ends(one.comparison.ratio)]
    low, high = min([1 / NARROWEST, *reached]) / 1.02, max([NARROWEST, *reached]) * 1.02
    axes.set_xscale("log")
    axes.set_xlim(low, high)
    axes.xaxis.set_major_locator(FixedLocator(ticks(low, high)))
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axes.xaxis.set_minor_locator(NullLocator())


def ticks(low: float, high: float) -> list[float]:
    """Round numbers: a logarithmic axis that spans less than a decade would have a single one."""
    if high / low < LONG_AXIS:
        found = MaxNLocator(nbins=5, steps=[1, 2, 5, 10]).tick_values(low, high)
    else:
        found = LogLocator(subs=(1, 2, 5)).tick_values(low, high)
    return [float(tick) for tick in found if low <= tick <= high]


def keys() -> list[Line2D | Patch]:
    marks = [
        Line2D([], [], ls="", marker=shape, color=colour, mfc=face, label=verdict)
        for verdict, (shape, colour, face) in MARKS.items()
    ]
    band = Patch(color=BAND, label=f"less than {percent(LEAST_BETWEEN_RUNS)}")
    return [*marks, band]
