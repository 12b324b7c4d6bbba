"""The figure of a comparison: one row per cell, one panel per lane, ratios on a log axis."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

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
from reports import text as markdown
from reports.compare.pairs import LEAST_BETWEEN_RUNS, ComparedCell
from reports.drawing.style import COLOURS, GREY, house_style, png
from reports.results.speed import LANES
from reports.text import one_line, plain_percent

MOST_ROWS = 40
# marker, colour and face per verdict; the shape alone also identifies the verdict
MARKS = {
    Verdict.FASTER: ("<", COLOURS[0], COLOURS[0]),
    Verdict.SLOWER: (">", COLOURS[1], COLOURS[1]),
    Verdict.SAME: ("s", COLOURS[2], COLOURS[2]),
    Verdict.AMBIGUOUS: ("o", GREY, "white"),
}
BAND = "#EEEEEE"
# the axis reaches at least this ratio, because otherwise a band of 5 % would fill it
NARROWEST = 1.1
# if the axis spans more than this factor, ticks at 1, 2, 5, 10 suffice
LONG_AXIS = 4.0


@dataclass(frozen=True, kw_only=True)
class Page:
    """The content of one figure: up to `MOST_ROWS` cells of one run on one device."""

    file: str
    first: str
    run: str
    device: str
    rows: tuple[Cell, ...]
    cells: tuple[ComparedCell, ...]

    @property
    def link(self) -> str:
        """Return the figure in Markdown; its alternative text points to the table."""
        return markdown.figure(
            f"Time per step of {self.run} over that of {self.first} on {self.device}: a row a "
            "cell, a panel a lane, 95 % intervals, verdicts by colour and shape; the same numbers "
            "are in the table below",
            self.file,
        )


def pages(first: str, cells: Sequence[ComparedCell]) -> tuple[Page, ...]:
    """Return the pages of the cells that have a ratio; `first` names the first run."""
    groups: dict[tuple[str, str], list[ComparedCell]] = {}
    for cell in cells:
        if cell.comparison is not None:
            groups.setdefault((cell.run, cell.first.cell.execution.device), []).append(cell)
    parts = [(*key, rows) for key, group in groups.items() for rows in split_rows(group)]
    return tuple(
        Page(
            file=f"ratios-{number}.png", first=first, run=run, device=device, rows=rows,
            cells=tuple(cell for cell in groups[run, device] if cell.first.cell in rows),
        )
        for number, (run, device, rows) in enumerate(parts, 1)
    )  # fmt: skip


def split_rows(group: Sequence[ComparedCell]) -> Iterator[tuple[Cell, ...]]:
    """Yield the cells in parts of `MOST_ROWS`, each cell once for all its lanes."""
    rows = list(dict.fromkeys(cell.first.cell for cell in group))
    for start in range(0, len(rows), MOST_ROWS):
        yield tuple(rows[start : start + MOST_ROWS])


def figures(pages: Sequence[Page]) -> Iterator[tuple[str, bytes]]:
    """Yield file name and PNG per page."""
    with house_style():
        for page in pages:
            yield page.file, png(forest(page), "")


def forest(page: Page) -> Figure:
    """Draw the page as a forest plot: ratio and interval per cell, in one panel per lane."""
    figure = Figure(figsize=(9, 1.7 + 0.23 * len(page.rows)), layout="constrained")
    panels = figure.subplots(1, len(LANES), sharex=True, sharey=True)
    labels = {cell.first.cell: label(cell) for cell in page.cells}
    for axes, lane in zip(panels, LANES, strict=True):
        panel(axes, lane, page)
    scale(panels[0], page.cells)
    panels[0].set_yticks(range(len(page.rows)), [labels[cell] for cell in page.rows], fontsize=8)
    panels[0].set_ylim(len(page.rows) - 0.4, -0.6)
    figure.suptitle(one_line(f"{page.run} against {page.first}, on {page.device}"), fontsize=9)
    figure.legend(handles=legend_handles(), loc="outside lower center", ncols=len(MARKS) + 1)
    return figure


def panel(axes: Axes, lane: str, page: Page) -> None:
    """Draw one lane, with a band of ratios too small to count."""
    axes.set_title(f"{lane} lane")
    axes.axvspan(1 / (1 + LEAST_BETWEEN_RUNS), 1 + LEAST_BETWEEN_RUNS, color=BAND, zorder=0)
    axes.axvline(1, color=GREY, linewidth=0.8)
    axes.grid(visible=True, axis="x")
    axes.set_xlabel("times as long (log scale; line: 95 % interval)")
    axes.tick_params(axis="y", length=0)
    for cell in page.cells:
        if cell.lane == lane and cell.comparison is not None and cell.verdict is not None:
            mark(axes, page.rows.index(cell.first.cell), cell.comparison.ratio, cell.verdict)


def mark(axes: Axes, row: int, ratio: Estimate, verdict: Verdict) -> None:
    """Draw interval and ratio of one cell."""
    shape, colour, face = MARKS[verdict]
    axes.plot(ends(ratio), [row, row], color=colour, linewidth=1.4)
    axes.plot(ratio.value, row, shape, color=colour, markerfacecolor=face, markersize=6)


def ends(ratio: Estimate) -> tuple[float, float]:
    """Return the two ends of the interval; both are the ratio if there is no interval."""
    if ratio.low is None or ratio.high is None:
        return ratio.value, ratio.value
    return ratio.low, ratio.high


def label(cell: ComparedCell) -> str:
    """Write workload, backend and settings; the device is in the figure's title."""
    workload, backend = cell.first.cell.workload, cell.first.cell.backend
    settings = ", ".join(cell.first.device.split(", ")[1:])
    return one_line(f"{workload}: {backend}{f' ({settings})' if settings else ''}")


def scale(axes: Axes, cells: Sequence[ComparedCell]) -> None:
    """Set a logarithmic axis that holds all intervals and the ratio 1."""
    limits = [end for cell in cells if cell.comparison for end in ends(cell.comparison.ratio)]
    low, high = min([1 / NARROWEST, *limits]) / 1.02, max([NARROWEST, *limits]) * 1.02
    axes.set_xscale("log")
    axes.set_xlim(low, high)
    axes.xaxis.set_major_locator(FixedLocator(ticks(low, high)))
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axes.xaxis.set_minor_locator(NullLocator())


def ticks(low: float, high: float) -> list[float]:
    """Return round numbers between `low` and `high`.

    Matplotlib's own ticks would be a single number if the axis spans less than a decade.
    """
    if high / low < LONG_AXIS:
        values = MaxNLocator(nbins=5, steps=[1, 2, 5, 10]).tick_values(low, high)
    else:
        values = LogLocator(subs=(1, 2, 5)).tick_values(low, high)
    return [float(tick) for tick in values if low <= tick <= high]


def legend_handles() -> list[Line2D | Patch]:
    """Return the legend's entries: one mark per verdict, and the band."""
    marks = [
        Line2D([], [], ls="", marker=shape, color=colour, mfc=face, label=verdict)
        for verdict, (shape, colour, face) in MARKS.items()
    ]
    band = Patch(color=BAND, label=f"less than {plain_percent(LEAST_BETWEEN_RUNS)}")
    return [*marks, band]
