"""The verdicts on speed, in words that are never stronger than the statistics."""

from collections.abc import Iterator, Sequence

from bench.record.selection import comparable, disturbed
from bench.stats import AGREEMENT, LEVEL, SAME_WITHIN, SMALLEST_SAMPLE
from reports.results.cells import CellResults, has_timing
from reports.results.comparability import notes
from reports.results.names import LANE_NAMES
from reports.results.report import Report
from reports.results.speed_verdicts import RankedPair, no_verdict_reason, refusals
from reports.text import (
    NOTHING,
    details,
    escape,
    factor_estimate,
    percent,
    plain_percent,
    plural,
    table,
)

HEADERS = [
    "timed", "device", "compared", "speed-up", "verdict", "smallest detectable", "n", "because",
    "settings that differ",
]  # fmt: skip


def section(report: Report) -> Iterator[str]:
    """Yield a table per network, refused pairs and omitted trials; nothing if nothing was timed."""
    if not has_timing(report.run):
        return
    yield "## Which is faster"
    if report.pairs:
        yield LEGEND
        for workload in dict.fromkeys(pair.first.cell.workload for pair in report.pairs):
            yield verdicts_on(workload, report.pairs)
    else:
        yield no_verdict_reason(report.run)
    yield from refused_pairs(report.cells)
    if report.pairs:
        yield from omissions(report.cells)


def verdicts_on(workload: str, pairs: Sequence[RankedPair]) -> str:
    """Return the verdicts on a network in a closed block: a big run has a hundred."""
    own = [pair for pair in pairs if pair.first.cell.workload == workload]
    numbers = "speed-up, smallest detectable, n"
    summary = f"{escape(workload)}: {plural(len(own), 'comparison')}"
    return details(summary, table(HEADERS, map(row, own), numbers))


def row(pair: RankedPair) -> list[str]:
    comparison = pair.claim.comparison
    return [
        LANE_NAMES[pair.lane],
        escape(pair.first.device),
        " against ".join(map(escape, pair.names)),
        NOTHING if comparison is None else factor_estimate(comparison.ratio.inverse()),
        pair.claim.verdict,
        percent(pair.claim.detectable, 1),
        NOTHING if comparison is None else str(comparison.n),
        pair.claim.reason,
        escape(notes(pair.first, pair.second)) or NOTHING,
    ]


LEGEND = (
    "Speed-up: how many times as fast the first is as the second; median over n rounds of the "
    "ratio of two trials of the same round, with its 95 % interval. FASTER and SLOWER are said of "
    f"the first, and need all of this: a p value under {plain_percent(LEVEL)}, adjusted for all "
    "verdicts of this report (Westfall and Young's step-down maxT, with sign flips per round); an "
    f"interval without 1; {plain_percent(AGREEMENT)} of the rounds agree on the direction; a "
    f"difference of at least {plain_percent(SAME_WITHIN)}, of more than chance alone may show, and "
    "of at least twice the difference between rounds of the same configuration. SAME: shown to be "
    f"within {plain_percent(SAME_WITHIN)} by two one-sided tests, adjusted likewise. UNCLEAR: "
    f"enough rounds, and nothing is shown. UNDECIDED: fewer than {SMALLEST_SAMPLE} good rounds. "
    "Smallest detectable: the difference that nine of ten runs with this noise would call FASTER "
    "or SLOWER. A verdict is about this run, on this machine and with these versions: the next run "
    "may differ by more than its rounds did."
)


def refused_pairs(cells: Sequence[CellResults]) -> Iterator[str]:
    """Yield the pairs that are not compared, with the reasons."""
    lines = [
        f"- {escape(first.title)} and {escape(second.title)} on {escape(first.cell.workload)}: "
        f"{escape(why)}"
        for first, second, why in refusals(cells)
    ]
    if lines:
        yield "Not compared:"
        yield "\n".join(lines)


def omissions(cells: Sequence[CellResults]) -> Iterator[str]:
    """Yield how many trials are left out of the comparisons, and how many disturbed ones are in."""
    ranked_count = sum(len(results.ranked_records) for results in cells)
    repeat_count = sum(len(results.good_records("timing")) for results in cells) - ranked_count
    records = [record for results in cells for record in comparable(results.ranked_records)]
    unsteady_count = ranked_count - len(records)
    disturbed_count = sum(map(disturbed, records))
    if repeat_count:
        yield f"{plural(repeat_count, 'trial')} not compared: the same round was timed once more."
    if unsteady_count:
        trials = plural(unsteady_count, "trial")
        yield f"{trials} not compared: the time per step was still changing after the warm-up."
    if disturbed_count:
        trials = plural(disturbed_count, "trial")
        yield f"{trials} compared although disturbed: no repeat was undisturbed."
