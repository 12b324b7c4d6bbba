"""Every two backends against each other, in each lane: one family of claims for a report."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from bench.record.quantities import native_seconds, step_seconds
from bench.record.run import RunModel
from bench.record.selection import Quantity, by_round, comparable
from bench.spec.pairing import opponents
from bench.stats import AccuracyClaim, Claim, Comparison, compare_rounds, judge
from reports.results.cells import CellResults
from reports.results.comparability import notes, refusal

LANES: dict[str, Quantity] = {"native": native_seconds, "step": step_seconds}


@dataclass(frozen=True, kw_only=True)
class RankedPair:
    """What may be said of `first`, measured against `second`, in one lane."""

    first: CellResults
    second: CellResults
    lane: str
    claim: Claim


def rank(run: RunModel, cells: Sequence[CellResults]) -> tuple[RankedPair, ...]:
    """A claim for each pair and lane, judged together; none for a smoke run.

    None either for cells in which something else was computed, or a training failed.
    """
    if run.profile == "smoke":
        return ()
    pairs = [
        (first, second, lane)
        for first, second in timed_opponents(cells)
        if refusal(first, second) is None
        for lane in LANES
    ]
    claims = judge([compare(*pair) for pair in pairs])
    return tuple(
        RankedPair(first=first, second=second, lane=lane, claim=claim)
        for (first, second, lane), claim in zip(pairs, claims, strict=True)
    )


def timed_opponents(cells: Sequence[CellResults]) -> Iterator[tuple[CellResults, CellResults]]:
    """In the order of `group`, so that the reference is the earlier name, or the default mode."""
    timed = {
        one.cell: one
        for one in cells
        if not one.unsupported and any(trial.kind == "timing" for trial in one.planned)
    }
    for first, second in opponents(timed):
        yield timed[first], timed[second]


def refused(cells: Sequence[CellResults]) -> Iterator[tuple[CellResults, CellResults, str]]:
    """Pairs that stand against each other in the plan and may not be compared, and why."""
    for first, second in timed_opponents(cells):
        if (why := refusal(first, second)) is not None:
            yield first, second, why


def compare(first: CellResults, second: CellResults, lane: str) -> Comparison | None:
    seconds = [
        by_round(comparable(results.good("timing")), LANES[lane]) for results in (first, second)
    ]
    return compare_rounds(*seconds)


def as_json(pair: RankedPair) -> dict[str, Any]:
    return {
        "workload": pair.first.cell.workload,
        "execution": asdict(pair.first.cell.execution),
        "lane": pair.lane,
        "first": pair.first.cell.backend,
        "second": pair.second.cell.backend,
        "second_mode": pair.second.cell.execution.mode,
        "settings_that_differ": notes(pair.first, pair.second),
        **verdict_as_json(pair.claim),
    }


def verdict_as_json(claim: Claim | AccuracyClaim) -> dict[str, Any]:
    """Unrounded; null for what too few rounds, or seeds, do not tell."""
    return {
        "verdict": claim.verdict,
        "reason": claim.reason,
        "adjusted_p_value": claim.p_value,
        "adjusted_equivalence_p_value": claim.equivalence_p_value,
        "comparison": None if claim.comparison is None else asdict(claim.comparison),
    }
