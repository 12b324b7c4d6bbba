"""The verdicts on speed, in words that are never stronger than the statistics."""

from collections.abc import Iterator, Sequence

from bench.record.selection import comparable, disturbed
from bench.stats import AGREEMENT, LEVEL, SAME_WITHIN, SMALLEST_SAMPLE
from reports.results.cells import CellResults, has_timing
from reports.results.comparability import notes
from reports.results.report import Report
from reports.results.speed_verdicts import RankedPair, no_verdict_reason, refusals
from reports.text import NOTHING, escape, estimate, percent, plain_percent, plural, table

HEADERS = [
    "workload", "device", "lane", "verdict", "could find", "n", "because", "settings that differ",
]  # fmt: skip


def section(report: Report) -> Iterator[str]:
    """Yield verdicts, refused pairs and omitted trials; nothing if nothing was timed."""
    if not has_timing(report.run):
        return
    yield "## Which is faster"
    if report.pairs:
        yield table(HEADERS, map(row, report.pairs), "could find, n")
        yield LEGEND
    else:
        yield no_verdict_reason(report.run)
    yield from refused_pairs(report.cells)
    if report.pairs:
        yield from omissions(report.cells)


def row(pair: RankedPair) -> list[str]:
    comparison = pair.claim.comparison
    return [
        escape(pair.first.cell.workload),
        escape(pair.first.device),
        pair.lane,
        sentence(pair),
        percent(pair.claim.detectable, 1),
        NOTHING if comparison is None else str(comparison.n),
        pair.claim.reason,
        escape(notes(pair.first, pair.second)) or NOTHING,
    ]


def sentence(pair: RankedPair) -> str:
    """Return `pytorch takes 0.71 [0.68, 0.74] times as long as keras-tensorflow: FASTER`."""
    first, second = map(escape, pair.names)
    comparison = pair.claim.comparison
    if comparison is None:
        return f"{first} against {second}: {pair.claim.verdict}"
    ratio = estimate(comparison.ratio)
    return f"{first} takes {ratio} times as long as {second}: {pair.claim.verdict}"


LEGEND = (
    "Times as long: median over n rounds of the ratio of two trials of the same round, with its 95 "
    f"% interval. FASTER and SLOWER need all of this: a p value under {plain_percent(LEVEL)}, "
    "adjusted for all verdicts of this report (Westfall and Young's step-down maxT, with sign "
    "flips per round); an interval without 1; "
    f"{plain_percent(AGREEMENT)} of the rounds agree on the direction; and an effect of at least "
    f"{plain_percent(SAME_WITHIN)} (the slower one takes {1 + SAME_WITHIN:g} times as long), of "
    "more than chance alone may show, and of at least twice the difference between rounds of the "
    f"same cell. SAME: shown to be within {plain_percent(SAME_WITHIN)} by two one-sided tests, "
    "adjusted likewise. UNCLEAR: enough rounds, and nothing is shown. UNDECIDED: fewer than "
    f"{SMALLEST_SAMPLE} good rounds. Could find: the smallest effect that nine of ten runs with "
    "this noise would call FASTER or SLOWER. A verdict is about this run, on this machine and with "
    "these versions: the next run may differ by more than its rounds did."
)


def refused_pairs(cells: Sequence[CellResults]) -> Iterator[str]:
    """Yield the pairs that are not compared, with the reasons."""
    lines = [
        f"- {escape(first.name)} and {escape(second.name)} on {escape(first.cell.workload)}: "
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
