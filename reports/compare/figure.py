"""The figure of a comparison: speed-ups with a row per cell and mean, and a panel per lane."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FixedLocator, NullLocator, StrMethodFormatter

from bench.stats import BETWEEN_RUNS, SAME_WITHIN, Estimate, Verdict
from reports import text as markdown
from reports.compare.comparison import ComparedSides, Judged, is_judged
from reports.compare.means import ComparedMean, backend_settings
from reports.compare.pairs import ComparedCell, Matchup
from reports.compare.words import speedup_of
from reports.drawing.files import save_files
from reports.drawing.style import COLOURS, GREY, house_style, ratio_ticks
from reports.results.names import LANE_NAMES, framework
from reports.results.speed import LANES
from reports.text import one_line, plain_percent, plural

MOST_ROWS = 40
PALE_GREY = "#AAAAAA"
# marker, colour and face per verdict; the shape alone also identifies the verdict
MARKS = {
    Verdict.FASTER: (">", COLOURS[0], COLOURS[0]),
    Verdict.SLOWER: ("<", COLOURS[1], COLOURS[1]),
    Verdict.SAME: ("s", COLOURS[2], COLOURS[2]),
    Verdict.UNCLEAR: ("o", GREY, "white"),
    Verdict.UNDECIDED: ("D", PALE_GREY, "white"),
}
BAND = "#EEEEEE"
# the axis reaches at least this ratio, because otherwise the band would fill it
NARROWEST = 1.1
# the share of the axis, in logarithms, beyond the outermost values: a mark needs room
MARGIN = 0.03


@dataclass(frozen=True, kw_only=True)
class Page:
    """The content of one figure: up to `MOST_ROWS` rows on the same hardware, by their labels."""

    file: str
    matchup: Matchup
    rows: tuple[str, ...]
    items: tuple[Judged, ...]

    @property
    def least(self) -> float:
        """Return the effect under which a difference does not count."""
        paired = self.matchup.same_run or self.matchup.is_repeated
        return SAME_WITHIN if paired else BETWEEN_RUNS

    @property
    def link(self) -> str:
        """Return the figure in Markdown; its alternative text points to the table."""
        return markdown.figure(
            f"Speed-up, {self.matchup.title}: a row per configuration, a panel per way of timing, "
            "right is faster, 95 % intervals, verdicts by colour and shape; the same numbers are "
            "in the table below",
            self.file,
        )


def pages(compared: ComparedSides) -> tuple[Page, ...]:
    """Return the pages of the cells and of the means that have a speed-up."""
    items: list[Judged] = [*compared.cells, *filter(is_judged, compared.means)]
    groups: dict[str, list[Judged]] = {}
    for item in items:
        if item.claim is not None and item.claim.comparison is not None:
            groups.setdefault(item.matchup.title, []).append(item)
    parts = [(title, rows) for title, group in groups.items() for rows in split_rows(group)]
    return tuple(
        Page(
            file=f"ratios-{number}.png", matchup=compared.matchups[title], rows=rows,
            items=tuple(item for item in groups[title] if label(item) in rows),
        )
        for number, (title, rows) in enumerate(parts, 1)
    )  # fmt: skip


def split_rows(group: Sequence[Judged]) -> Iterator[tuple[str, ...]]:
    """Yield the labels in parts of `MOST_ROWS`, each label once for all its lanes."""
    rows = list(dict.fromkeys(map(label, group)))
    for start in range(0, len(rows), MOST_ROWS):
        yield tuple(rows[start : start + MOST_ROWS])


def figures(pages: Sequence[Page]) -> Iterator[tuple[str, bytes]]:
    """Yield the PNG and the SVG of each page, by name."""
    with house_style():
        for page in pages:
            yield from save_files(page.file, forest(page))


def forest(page: Page) -> Figure:
    """Draw the page as a forest plot: speed-up and interval per cell, in one panel per lane."""
    figure = Figure(figsize=(9, 1.9 + 0.23 * len(page.rows)), layout="constrained")
    panels = figure.subplots(1, len(LANES), sharex=True, sharey=True)
    for axes, lane in zip(panels, LANES, strict=True):
        panel(axes, lane, page)
    scale(panels[0], page.items)
    panels[0].set_yticks(range(len(page.rows)), page.rows, fontsize=8)
    panels[0].set_ylim(len(page.rows) - 0.4, -0.6)
    figure.suptitle(title(page.matchup), fontsize=9)
    figure.legend(
        handles=legend_handles(page.least), loc="outside lower center", ncols=len(MARKS) + 1
    )
    return figure


def title(matchup: Matchup) -> str:
    """Return the hardware, then the runs with their dates: a figure is copied without its text."""
    sides = [
        f"{side.name} ({side.run.created[:10]}, samestep {side.run.samestep})"
        for side in (matchup.other, matchup.first)
    ]
    runs = sides[:1] if matchup.first is matchup.other else sides
    second, first = matchup.hardware
    hardware = first if first == second else f"{second} against {first}"
    return f"{one_line(hardware)}\n{one_line(' against '.join(runs))}"


def panel(axes: Axes, lane: str, page: Page) -> None:
    """Draw one lane, with a band of ratios too small to count."""
    axes.set_title(LANE_NAMES[lane])
    axes.axvspan(1 / (1 + page.least), 1 + page.least, color=BAND, zorder=0)
    axes.axvline(1, color=GREY, linewidth=0.8)
    axes.grid(visible=True, axis="x")
    axes.set_xlabel("times as fast: right is faster\n(log scale; line: 95 % interval)")
    axes.tick_params(axis="y", length=0)
    for item in page.items:
        if item.lane == lane and item.claim is not None:
            row = page.rows.index(label(item))
            mark(axes, row, speedup_of(item.claim), item.claim.verdict)


def mark(axes: Axes, row: int, speedup: Estimate, verdict: Verdict) -> None:
    """Draw interval and speed-up of one cell."""
    shape, colour, face = MARKS[verdict]
    axes.plot(ends(speedup), [row, row], color=colour, linewidth=1.4)
    axes.plot(speedup.value, row, shape, color=colour, markerfacecolor=face, markersize=6)


def ends(speedup: Estimate) -> tuple[float, float]:
    """Return the two ends of the interval; both are the value if there is no interval."""
    if speedup.low is None or speedup.high is None:
        return speedup.value, speedup.value
    return speedup.low, speedup.high


def label(item: Judged) -> str:
    """Write workload, backend and settings; the device is in the figure's title."""
    if isinstance(item, ComparedMean):
        return f"mean of {plural(len(item.cells), 'workload')}: {backend_label(item.cells[0])}"
    return one_line(f"{item.first.cell.workload}: {backend_label(item)}")


def backend_label(cell: ComparedCell) -> str:
    """Write `PyTorch (compiled)`."""
    backend, settings = backend_settings(cell.other)
    name = framework(backend)
    return one_line(f"{name} ({settings})" if settings else name)


def scale(axes: Axes, items: Sequence[Judged]) -> None:
    """Set a logarithmic axis that holds all intervals and 1."""
    limits = [end for item in items if item.claim for end in ends(speedup_of(item.claim))]
    low, high = min([1 / NARROWEST, *limits]), max([NARROWEST, *limits])
    margin = (high / low) ** MARGIN
    low, high = low / margin, high * margin
    axes.set_xscale("log")
    axes.set_xlim(low, high)
    axes.xaxis.set_major_locator(FixedLocator(ratio_ticks(low, high)))
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axes.xaxis.set_minor_locator(NullLocator())


def legend_handles(least: float) -> list[Line2D | Patch]:
    """Return the legend's entries: one mark per verdict, and the band."""
    marks = [
        Line2D([], [], ls="", marker=shape, color=colour, mfc=face, label=verdict)
        for verdict, (shape, colour, face) in MARKS.items()
    ]
    band = Patch(color=BAND, label=f"less than {plain_percent(least)}")
    return [*marks, band]
