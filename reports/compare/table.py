"""The tables of the same cells on both sides: one per hardware, one row per lane."""

from collections.abc import Iterator, Sequence

from bench.stats import BETWEEN_RUNS, FEWEST_RUNS, SAME_WITHIN, SMALLEST_SAMPLE, Claim, cell_value
from reports.compare.comparison import ComparedSides
from reports.compare.means import ComparedMean
from reports.compare.pairs import ComparedCell, Matchup
from reports.compare.protocol import MOST_TIMES_THE_STEPS
from reports.compare.words import backend_name, mean_rates, rates, speedup_text
from reports.results.names import LANE_NAMES
from reports.text import NOTHING, escape, estimate, percent, plain_percent, plural, table

NOT_COMPARED = "not compared"
HEADERS = ("backend", "workload", "timed", "first images/s", "second images/s", "speed-up",
           "verdict", "smallest detectable", "n", "because")  # fmt: skip
NUMBERS = "first images/s,second images/s,speed-up,smallest detectable,n"


def section(compared: ComparedSides) -> Iterator[str]:
    """Write a heading and a table per hardware, and the legend."""
    if not compared.cells:
        yield "The runs have no timed cell in common."
        return
    for title, matchup in compared.matchups.items():
        yield f"## {escape(title)}"
        yield f"First: {side_text(matchup, 1)}. Second: {side_text(matchup, 0)}."
        yield table(HEADERS, rows(compared, title), NUMBERS)
    yield LEGEND
    yield from rules(compared)


def side_text(matchup: Matchup, place: int) -> str:
    """Write the hardware and the runs of the second side (0) or of the first side (1)."""
    side = (matchup.other, matchup.first)[place]
    return f"{escape(matchup.hardware[place])}, {plural_runs(len(side.runs))} {escape(side.name)}"


def plural_runs(number: int) -> str:
    return "run" if number == 1 else "runs"


LEGEND = (
    "Speed-up: the second side is so many times as fast as the first, with its 95 % interval. "
    "Above 1x the second side is faster. FASTER and SLOWER describe the second side. Smallest "
    "detectable: the smallest difference that nine of ten such comparisons find. UNDECIDED: fewer "
    f"than {SMALLEST_SAMPLE} good rounds on a side, or too few runs that have them. The p values "
    "are adjusted for all verdicts of this comparison. Not compared: something else was computed, "
    "or the times mean something else. An example is a full training loop with more than "
    f"{MOST_TIMES_THE_STEPS} times the steps of the other on equal hardware."
)
WITHIN = (
    "Both sides are one run and share its rounds: they are compared round by round, and SAME is a "
    f"difference within {plain_percent(SAME_WITHIN)}."
)
BETWEEN = (
    f"Two runs of one machine may differ by {plain_percent(BETWEEN_RUNS)} though nothing changed. "
    f"With fewer than {FEWEST_RUNS} runs per side, FASTER and SLOWER therefore need an interval "
    "beyond that, and nothing is SAME. The test permutes the rounds of the runs "
    "(Westfall and Young's step-down maxT)."
)
REPEATED = (
    "Each run is one value per cell: how much the runs of a side differ decides (Welch's t test "
    f"over runs, Holm's method). A difference counts from {plain_percent(SAME_WITHIN)} on, and "
    "SAME is a difference within it. Images per second: the median of the runs."
)


def rules(compared: ComparedSides) -> Iterator[str]:
    """Write the rules of the verdicts that this comparison uses."""
    matchups = compared.matchups.values()
    if any(matchup.same_run for matchup in matchups):
        yield WITHIN
    if any(matchup.is_repeated for matchup in matchups):
        yield REPEATED
    if not all(matchup.same_run or matchup.is_repeated for matchup in matchups):
        yield BETWEEN


def rows(compared: ComparedSides, title: str) -> Iterator[list[str]]:
    """Yield the rows of each backend's workloads on this hardware, then its geometric mean."""
    lines: dict[tuple[str, str], list[list[str]]] = {}
    for cell in compared.cells:
        if cell.matchup.title == title:
            lines.setdefault((backend_name(cell.first), cell.lane), []).append(row(cell))
    for mean in compared.means:
        if mean.matchup.title == title and len(mean.cells) > 1:
            lines[backend_name(mean.cells[0].first), mean.lane].append(mean_row(mean))
    for group in lines.values():
        yield from group


def row(cell: ComparedCell) -> list[str]:
    """Write one row of a table."""
    return [
        backend_name(cell.first),
        escape(cell.first.cell.workload),
        LANE_NAMES[cell.lane],
        *rates(cell),
        *claim_texts(cell.claim, cell.refusal or ""),
    ]


def mean_row(mean: ComparedMean) -> list[str]:
    """Write the row of a geometric mean."""
    other, first = mean_rates(mean)
    return [
        backend_name(mean.cells[0].first),
        f"**geometric mean of {plural(len(mean.cells), 'workload')}**",
        LANE_NAMES[mean.lane],
        estimate(cell_value(first)),
        estimate(cell_value(other)),
        *claim_texts(mean.claim, ""),
    ]


def claim_texts(claim: Claim | None, refusal: str) -> Sequence[str]:
    """Write speed-up, verdict, smallest detectable difference, n and reason."""
    if claim is None:
        return [NOTHING, NOT_COMPARED, NOTHING, NOTHING, escape(refusal)]
    known = claim.comparison
    return [
        speedup_text(claim),
        claim.verdict,
        percent(claim.detectable, 1),
        NOTHING if known is None else str(known.n),
        claim.reason,
    ]
