"""Which backend is faster, in words that are never stronger than the statistics."""

from collections import Counter
from collections.abc import Iterator, Sequence

from bench.record.run import RunModel
from bench.record.selection import comparable, disturbed, ranked
from bench.stats import AGREEMENT, LEVEL, SAME_WITHIN, Verdict
from reports.results.cells import CellResults, timed
from reports.results.comparability import notes
from reports.results.speed_verdicts import RankedPair, refused
from reports.text import NOTHING, escape, estimate, plural, table

MOST_IN_SHORT = 4


def section(
    run: RunModel, cells: Sequence[CellResults], pairs: Sequence[RankedPair]
) -> Iterator[str]:
    if not timed(run):
        return
    yield "## Which is faster"
    if not pairs:
        yield nothing_judged(run)
        yield from refusals(cells)
        return
    headers = ["workload", "device", "lane", "verdict", "could find", "n", "because"]
    headers += ["settings that differ"]
    yield table(headers, map(row, pairs), "could find, n")
    yield LEGEND
    yield from refusals(cells)
    yield from omissions(cells)


def nothing_judged(run: RunModel) -> str:
    if run.profile == "smoke":
        return "A smoke run makes no verdicts: it does not say which backend is faster."
    if not timed(run):
        return "Nothing was to be timed: there are no verdicts on speed."
    return "No two backends were timed in the same way: there are no verdicts on speed."


def row(pair: RankedPair) -> list[str]:
    comparison = pair.claim.comparison
    smallest = None if comparison is None else comparison.minimum_detectable_effect
    return [
        escape(pair.first.cell.workload),
        escape(pair.first.device),
        pair.lane,
        sentence(pair),
        NOTHING if smallest is None else f"{100 * smallest:.1f} %",
        NOTHING if comparison is None else str(comparison.n),
        pair.claim.reason,
        escape(notes(pair.first, pair.second)) or NOTHING,
    ]


def sentence(pair: RankedPair) -> str:
    """`pytorch takes 0.71 [0.68, 0.74] times as long as keras-tensorflow: FASTER`."""
    first, second = names(pair)
    comparison = pair.claim.comparison
    if comparison is None:
        return f"{first} against {second}: {pair.claim.verdict}"
    ratio = estimate(comparison.ratio)
    return f"{first} takes {ratio} times as long as {second}: {pair.claim.verdict}"


def names(pair: RankedPair) -> tuple[str, str]:
    """The backends; of one backend in two modes both with their modes."""
    cells = pair.first.cell, pair.second.cell
    if cells[0].backend != cells[1].backend:
        return escape(cells[0].backend), escape(cells[1].backend)
    first, second = (escape(f"{cell.backend} ({cell.execution.mode})") for cell in cells)
    return first, second


def percent(fraction: float) -> str:
    return f"{100 * fraction:g} %"


LEGEND = (
    "Times as long: median over n rounds of the ratio of two trials of the same round, with its "
    f"95 % interval. FASTER and SLOWER need all of this: a p value under {percent(LEVEL)} "
    "(signed-rank test, adjusted for all verdicts of this report by Holm's method); an interval "
    f"without 1; {percent(AGREEMENT)} of the rounds agree on the direction; and an effect of at "
    f"least {percent(SAME_WITHIN)} (the slower one takes {1 + SAME_WITHIN:g} times as long), of at "
    "least what this run could find, and of at least twice what it shows between rounds of one and "
    f"the same cell. SAME: shown to be within {percent(SAME_WITHIN)} by two one-sided tests, "
    "adjusted likewise. AMBIGUOUS: neither is shown. Could find: the smallest effect that a run "
    "with this noise finds in nine cases of ten. A verdict is about this run, on this machine "
    "and with these versions: the next run may differ by more than its rounds did."
)


def refusals(cells: Sequence[CellResults]) -> Iterator[str]:
    """Cells that compute something else than each other, or nothing of use, have no ratio."""
    found = [
        f"- {escape(first.name)} and {escape(second.name)} on {escape(first.cell.workload)}: "
        f"{escape(why)}"
        for first, second, why in refused(cells)
    ]
    if found:
        yield "Not compared:"
        yield "\n".join(found)


def omissions(cells: Sequence[CellResults]) -> Iterator[str]:
    """How many trials were left out of the comparisons, and which stayed in though disturbed."""
    timed = [results.good("timing") for results in cells]
    chosen = [record for records in timed for record in ranked(records)]
    kept = [record for records in timed for record in comparable(records)]
    repeated = sum(map(len, timed)) - len(chosen)
    if repeated:
        yield f"{plural(repeated, 'trial')} not compared: the same round was timed once more."
    if len(kept) < len(chosen):
        unsteady = plural(len(chosen) - len(kept), "trial")
        yield f"{unsteady} not compared: the time per step was still changing after the warm-up."
    among = sum(map(disturbed, kept))
    if among:
        yield f"{plural(among, 'trial')} compared although disturbed: no repeat was undisturbed."


def in_short(run: RunModel, pairs: Sequence[RankedPair]) -> str:
    """The verdicts in one sentence: how many of each, for every two backends on each device."""
    if not pairs:
        return nothing_judged(run)
    found: dict[str, Counter[Verdict]] = {}
    for pair in pairs:
        first, second = names(pair)
        where = f"{first} against {second} on {escape(pair.first.device)}"
        found.setdefault(where, Counter())[pair.claim.verdict] += 1
    parts = [f"{where}: {counted(verdicts)}" for where, verdicts in found.items()]
    if len(parts) > MOST_IN_SHORT:
        parts = [f"{counted(sum(found.values(), Counter()))}, each under Which is faster"]
    return f"Verdicts over workloads and lanes (native and step): {'; '.join(parts)}."


def counted(verdicts: Counter[Verdict]) -> str:
    """`FASTER in 3, AMBIGUOUS in 1 of 4 comparisons`."""
    each = ", ".join(f"{one} in {verdicts[one]}" for one in Verdict if verdicts[one])
    return f"{each} of {plural(verdicts.total(), 'comparison')}"
