"""The headline: which backend is faster, by how much, how sure, and at which accuracy."""

import math
from collections.abc import Iterator, Sequence

from bench.record.run import RunModel
from bench.stats import (
    SAME_WITHIN,
    SMALLEST_SAMPLE,
    AccuracyVerdict,
    Estimate,
    Verdict,
    decimals,
    format_number,
)
from reports.results.accuracy_verdicts import AccuracyPair
from reports.results.cells import CellResults
from reports.results.machine import hardware
from reports.results.report import Report
from reports.results.speed import LANES
from reports.results.speed_verdicts import RankedPair
from reports.text import escape, percent, plain_percent, plural

MIRROR = {Verdict.FASTER: Verdict.SLOWER, Verdict.SLOWER: Verdict.FASTER}
OTHERWISE = {
    Verdict.SAME: f"takes as long (within {plain_percent(SAME_WITHIN)}) as",
    Verdict.AMBIGUOUS: "is not told apart from",
    Verdict.SLOWER: "is slower than",
}
ACCURACY = {
    AccuracyVerdict.EQUIVALENT: "{} train to equivalent accuracy",
    AccuracyVerdict.DIFFERENT: "{} train to different accuracy",
    AccuracyVerdict.INCONCLUSIVE: "whether {} train to the same accuracy is not shown",
}


def section(report: Report) -> Iterator[str]:
    """Yield a line per workload and device on speed; on accuracy if no speed was judged.

    Only the default mode counts; the other modes have their own section.
    """
    if report.default_pairs:
        groups = group_by_settings(report.default_pairs)
        yield from speed_headline(report.run, groups, report.accuracy_pairs)
    elif report.default_accuracy_pairs:
        yield from accuracy_headline(report.run, report.default_accuracy_pairs)


def group_by_settings(pairs: Sequence[RankedPair]) -> list[list[RankedPair]]:
    """Group the pairs by workload and execution."""
    groups: dict[tuple[object, ...], list[RankedPair]] = {}
    for pair in pairs:
        cell = pair.first.cell
        groups.setdefault((cell.workload, cell.execution), []).append(pair)
    return list(groups.values())


def speed_headline(
    run: RunModel, groups: Sequence[Sequence[RankedPair]], trained: Sequence[AccuracyPair]
) -> Iterator[str]:
    accuracies = [accuracy_of(group, trained) for group in groups]
    # a statement that holds for all is written once
    common = accuracies[0] if len(set(accuracies)) == 1 else None
    own = [""] * len(groups) if common else [f"; {accuracy}" for accuracy in accuracies]
    yield (
        f"**On this machine** ({escape(hardware(run))}), backends as they come, the train step "
        f"alone (step) and in the framework's own loop (native){f'; {common}' if common else ''}:"
    )
    several = len({group[0].first.device for group in groups}) > 1
    yield "\n".join(
        f"- {line(group, several=several)}{accuracy}."
        for group, accuracy in zip(groups, own, strict=True)
    )


def line(group: Sequence[RankedPair], *, several: bool) -> str:
    """Return `**cnn**, step: a is about 1.32 times (1.31 to 1.34, n = 10) as fast as b; ...`."""
    first = group[0].first
    where = f" on {escape(first.device)}" if several else ""
    about = f"**{escape(first.cell.workload)}**{where}"
    if all(pair.claim.p_value is None for pair in group):
        return f"{about}: no verdict, which takes {SMALLEST_SAMPLE} rounds or more of any two"
    lanes = [
        f"{lane}: {standing(lane_pairs)}"
        for lane in reversed(LANES)
        if (lane_pairs := [pair for pair in group if pair.lane == lane])
    ]
    return f"{about}, {'; '.join(lanes)}"


def standing(pairs: Sequence[RankedPair]) -> str:
    """Return the fastest cell of a lane against the others, no more strongly than the verdicts."""
    fastest = leader(pairs)
    by_verdict: dict[Verdict, list[RankedPair]] = {}
    for pair in pairs:
        if fastest in (pair.first, pair.second):
            by_verdict.setdefault(verdict_of(fastest, pair), []).append(pair)
    behind = sorted(
        by_verdict.get(Verdict.FASTER, []), key=lambda pair: -speedup(pair, fastest).value
    )
    parts = [lead(fastest, behind)] if behind else []
    parts += [
        f"{words} {rivals(pairs_of_verdict, fastest)}"
        for verdict, words in OTHERWISE.items()
        if (pairs_of_verdict := by_verdict.get(verdict))
    ]
    return f"{backend(fastest)} {', and '.join(parts)}"


def leader(pairs: Sequence[RankedPair]) -> CellResults:
    """Return the cell with the most verdicts FASTER; on a tie, the one with the smallest median."""
    cells = {results.name: results for pair in pairs for results in (pair.first, pair.second)}
    return min(
        cells.values(), key=lambda results: (-wins(results, pairs), seconds(results, pairs[0].lane))
    )


def wins(results: CellResults, pairs: Sequence[RankedPair]) -> int:
    """Count the pairs of the lane in which the cell is FASTER."""
    return sum(
        verdict_of(results, pair) is Verdict.FASTER
        for pair in pairs
        if results in (pair.first, pair.second)
    )


def seconds(results: CellResults, lane: str) -> float:
    """Return the cell's median seconds per step of the lane; infinite if it has none."""
    speed = results.speed
    if speed is None:
        return math.inf
    value = {"native": speed.native_seconds, "step": speed.step_seconds}[lane]
    return math.inf if value is None else value.value


def verdict_of(results: CellResults, pair: RankedPair) -> Verdict:
    """Return the pair's verdict as a verdict on `results`, which may be the second cell."""
    verdict = pair.claim.verdict
    return verdict if pair.first is results else MIRROR.get(verdict, verdict)


def lead(fastest: CellResults, behind: Sequence[RankedPair]) -> str:
    """Return `is about 2.1 times (1.9 to 2.3, n = 10) as fast as a, also faster than b`."""
    slowest, *further = behind
    text = f"is {times(speedup(slowest, fastest))} as fast as {rivals([slowest], fastest)}"
    return f"{text}, also faster than {rivals(further, fastest)}" if further else text


def speedup(pair: RankedPair, fastest: CellResults) -> Estimate:
    """Return the rival's seconds over those of the fastest cell: how many times as fast it is."""
    comparison = pair.claim.comparison
    assert comparison is not None, "a verdict rests on a comparison"
    ratio = comparison.ratio
    if pair.second is fastest:
        return ratio
    low = None if ratio.high is None else 1 / ratio.high
    high = None if ratio.low is None else 1 / ratio.low
    return Estimate(value=1 / ratio.value, low=low, high=high, n=ratio.n)


def times(ratio: Estimate) -> str:
    """Return `about 2.11 times (1.92 to 2.31, n = 10)`."""
    places = decimals(ratio.value, ratio.low, ratio.high)
    assert ratio.low is not None, "a verdict rests on an interval"
    assert ratio.high is not None, "a verdict rests on an interval"
    ends = f"{format_number(ratio.low, places)} to {format_number(ratio.high, places)}"
    return f"about {format_number(ratio.value, places)} times ({ends}, n = {ratio.n})"


def rivals(pairs: Sequence[RankedPair], fastest: CellResults) -> str:
    opponents = [pair.second if pair.first is fastest else pair.first for pair in pairs]
    return " and ".join(map(backend, opponents))


def backend(results: CellResults) -> str:
    return escape(results.cell.backend)


def accuracy_headline(run: RunModel, trained: Sequence[AccuracyPair]) -> Iterator[str]:
    yield (
        f"**On this machine** ({escape(hardware(run))}), backends as they come, test accuracy "
        "after the last epoch:"
    )
    several = len({pair.first.device for pair in trained}) > 1
    yield "\n".join(f"- {accuracy_line(pair, several=several)}." for pair in trained)


def accuracy_line(pair: AccuracyPair, *, several: bool) -> str:
    """Return `**mlp-512**: a and b train to equivalent accuracy (97.99 % and 97.97 %, n = 10)`."""
    where = f" on {escape(pair.first.device)}" if several else ""
    names = f"{backend(pair.first)} and {backend(pair.second)}"
    finding = ACCURACY[pair.claim.verdict].format(names)
    means = [
        percent(results.accuracy.test_accuracy if results.accuracy else None)
        for results in (pair.first, pair.second)
    ]
    figures = f"({' and '.join(means)}, n = {pair.claim.comparison.n})"
    return f"**{escape(pair.first.cell.workload)}**{where}: {finding} {figures}"


def accuracy_of(group: Sequence[RankedPair], trained: Sequence[AccuracyPair]) -> str:
    """Return `at equivalent accuracy` if that is shown for every two cells of the group.

    Otherwise return what is shown instead.
    """
    cells = {results.cell for pair in group for results in (pair.first, pair.second)}
    claims = [pair.claim for pair in trained if {pair.first.cell, pair.second.cell} <= cells]
    verdicts = {claim.verdict for claim in claims}
    if not claims:
        return "accuracy not compared"
    if verdicts == {AccuracyVerdict.EQUIVALENT}:
        return "at equivalent accuracy"
    if AccuracyVerdict.DIFFERENT in verdicts:
        return "at different accuracy (see below)"
    seeds = min(claim.comparison.n for claim in claims)
    return f"whether at the same accuracy is not shown ({plural(seeds, 'seed')})"
