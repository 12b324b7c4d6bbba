"""Claims on speed: every two backends in each lane, judged as one family per report."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from bench.record.run import RunModel
from bench.spec.pairing import opponents
from bench.stats import AccuracyClaim, Claim, Verdict, judge_rounds
from reports.results.cells import CellResults, has_timing
from reports.results.comparability import notes, refusal
from reports.results.names import framework
from reports.results.speed import LANES

MIRROR = {Verdict.FASTER: Verdict.SLOWER, Verdict.SLOWER: Verdict.FASTER}


@dataclass(frozen=True, kw_only=True)
class RankedPair:
    """A claim on the speed of `first` against that of `second`, in one lane."""

    first: CellResults
    second: CellResults
    lane: str
    claim: Claim

    @property
    def names(self) -> tuple[str, str]:
        """Return the frameworks; two modes of one framework with their modes."""
        cells = self.first.cell, self.second.cell
        first, second = (framework(cell.backend) for cell in cells)
        if cells[0].backend != cells[1].backend:
            return first, second
        modes = [cell.execution.mode for cell in cells]
        return f"{first} ({modes[0]})", f"{second} ({modes[1]})"

    def verdict_on(self, results: CellResults) -> Verdict:
        """Return the claim's verdict as a verdict on `results`, which may be the second cell."""
        verdict = self.claim.verdict
        return verdict if self.first is results else MIRROR.get(verdict, verdict)


def rank(run: RunModel, cells: Sequence[CellResults]) -> tuple[RankedPair, ...]:
    """Return a claim per pair and lane, judged together; none for a smoke run.

    Pairs that compute different things, or that have a failed training, have no claim.
    """
    if run.profile == "smoke":
        return ()
    pairs = [
        (first, second, lane)
        for first, second in timed_opponents(cells)
        if refusal(first, second) is None
        for lane in LANES
    ]
    claims = judge_rounds([
        (first.seconds[lane], second.seconds[lane]) for first, second, lane in pairs
    ])  # fmt: skip
    return tuple(
        RankedPair(first=first, second=second, lane=lane, claim=claim)
        for (first, second, lane), claim in zip(pairs, claims, strict=True)
    )


def timed_opponents(cells: Sequence[CellResults]) -> Iterator[tuple[CellResults, CellResults]]:
    """Yield the pairs of cells whose plans make them rivals, in the order of `group`.

    So the second is the one with the earlier name, or in the default mode.
    """
    by_cell = {
        results.cell: results
        for results in cells
        if not results.is_unsupported
        and any(trial.kind == "timing" for trial in results.planned_trials)
    }
    for first, second in opponents(by_cell):
        yield by_cell[first], by_cell[second]


def refusals(cells: Sequence[CellResults]) -> Iterator[tuple[CellResults, CellResults, str]]:
    """Yield the rivals that may not be compared, with the reason."""
    for first, second in timed_opponents(cells):
        if (why := refusal(first, second)) is not None:
            yield first, second, why


def no_verdict_reason(run: RunModel) -> str:
    """Return a sentence that says why a run has no claim on speed."""
    if run.profile == "smoke":
        return "A smoke run makes no verdicts: it does not say which framework is faster."
    if not has_timing(run):
        return "Nothing was to be timed: there are no verdicts on speed."
    return "No two frameworks were timed in the same way: there are no verdicts on speed."


def as_json(pair: RankedPair) -> dict[str, Any]:
    """Return the claim unrounded, with its pair and lane."""
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
    """Return the claim unrounded; null for what too few rounds, or seeds, do not show."""
    return {
        "verdict": claim.verdict,
        "reason": claim.reason,
        "adjusted_p_value": claim.p_value,
        "adjusted_equivalence_p_value": claim.equivalence_p_value,
        "comparison": None if claim.comparison is None else asdict(claim.comparison),
    }
