"""Decide what a comparison allows a report to say, and give the reason if it allows no more."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias, TypeGuard

from bench.stats import permutations, sign_flips
from bench.stats.comparison import (
    SAME_WITHIN,
    Comparison,
    Rounds,
    compare_rounds,
    compare_samples,
    effect_size,
    round_ratios,
)
from bench.stats.detectable import between_runs, within_run
from bench.stats.estimates import SMALLEST_SAMPLE

LEVEL = 0.05
AGREEMENT = 0.8
# An effect counts if it is at least this many times the difference between equal trials.
FLOORS = 2
# Two runs of one machine may differ by this much though nothing changed.
BETWEEN_RUNS = 0.15

# an effect that a difference must reach, with its meaning
Threshold: TypeAlias = tuple[float, str]
OF_ROUNDS: Threshold = (SAME_WITHIN, "that counts")
OF_RUNS: Threshold = (BETWEEN_RUNS, "by which two runs may differ")


class Verdict(StrEnum):
    """The verdict on the first cell: FASTER takes less time than the second cell.

    UNCLEAR: enough rounds, and nothing is shown. UNDECIDED: too few good rounds for a verdict.
    """

    FASTER = "FASTER"
    SLOWER = "SLOWER"
    SAME = "SAME"
    UNCLEAR = "UNCLEAR"
    UNDECIDED = "UNDECIDED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A verdict with one clause that gives its reason, or names what is missing.

    The p values are adjusted for all claims that were judged together; None if there was nothing to
    test. `detectable`: the smallest effect that nine of ten such runs would call FASTER or SLOWER.
    """

    comparison: Comparison | None
    verdict: Verdict
    reason: str
    p_value: float | None = None
    equivalence_p_value: float | None = None
    detectable: float | None = None


def judge_rounds(pairs: Sequence[tuple[Rounds, Rounds]]) -> list[Claim]:
    """Return one claim per pair of cells of a run, in their order, from their seconds per round.

    Pass all that are published together: they are one family. Differences and equalities are
    adjusted separately: of ten printed SAMEs all must be right, as of ten FASTERs, but no pair of
    cells can make both kinds false.
    """
    comparisons = [compare_rounds(*pair) for pair in pairs]
    tested = [pair for pair, one in zip(pairs, comparisons, strict=True) if has_rounds(one)]
    ratios = sign_flips.as_array([round_ratios(*pair) for pair in tested])
    different = iter(sign_flips.difference_p_values(ratios))
    same = iter(sign_flips.equivalence_p_values(ratios, math.log1p(SAME_WITHIN)))
    return [
        claim_of_rounds(one, next(different), next(same), len(tested))
        if has_rounds(one)
        else undecided(one)
        for one in comparisons
    ]


def judge_runs(runs: Sequence[Sequence[tuple[Rounds, Rounds]]]) -> list[list[Claim]]:
    """Return one claim per cell of each other run against the first, in their order.

    `runs` has one sequence per other run: the seconds per round of a cell in that run, and in the
    first run. Pass all that are published together: they are one family.
    """
    comparisons = [[compare_samples(*pair) for pair in run] for run in runs]
    tested = [
        [pair for pair, one in zip(run, of_run, strict=True) if has_rounds(one)]
        for run, of_run in zip(runs, comparisons, strict=True)
    ]
    p_values = iter(permutations.difference_p_values(list(filter(None, tested))))
    return [
        [claim_of_runs(one, next(p_values)) if has_rounds(one) else undecided(one) for one in run]
        for run in comparisons
    ]


def has_rounds(comparison: Comparison | None) -> TypeGuard[Comparison]:
    """Return whether a comparison has the rounds that a verdict needs."""
    return comparison is not None and comparison.n >= SMALLEST_SAMPLE


def undecided(comparison: Comparison | None) -> Claim:
    """Return the claim on a comparison with too few rounds."""
    rounds = 0 if comparison is None else comparison.n
    return Claim(
        comparison=comparison,
        verdict=Verdict.UNDECIDED,
        reason=f"{rounds} of the {SMALLEST_SAMPLE} good rounds that a verdict needs",
    )


def claim_of_rounds(comparison: Comparison, different: float, same: float, claims: int) -> Claim:
    """Return the claim on two cells of a run, one of `claims` that are judged together."""
    verdict, reason = decide(comparison, different, OF_ROUNDS)
    if verdict is Verdict.UNCLEAR and same < LEVEL and comparison.effect < SAME_WITHIN:
        verdict = Verdict.SAME
        reason = f"within {percent(SAME_WITHIN)}, adjusted p {same:.2g}"
    return Claim(
        comparison=comparison,
        verdict=verdict,
        reason=reason,
        p_value=different,
        equivalence_p_value=same,
        detectable=within_run(comparison, claims),
    )


def claim_of_runs(comparison: Comparison, different: float) -> Claim:
    """Return the claim on a cell of two runs; one run per side never shows that it is the same.

    The whole interval of a difference must lie beyond `BETWEEN_RUNS`. The cells of a run share what
    makes it unlike the next run, so that the noise of many cells carries one of them past it.
    """
    verdict, reason = decide(comparison, different, OF_RUNS)
    if verdict is not Verdict.UNCLEAR and nearest_effect(comparison) < BETWEEN_RUNS:
        verdict = Verdict.UNCLEAR
        reason = f"the interval reaches under the {percent(BETWEEN_RUNS)} {OF_RUNS[1]}"
    return Claim(
        comparison=comparison,
        verdict=verdict,
        reason=reason,
        p_value=different,
        detectable=between_runs(comparison, BETWEEN_RUNS),
    )


def nearest_effect(comparison: Comparison) -> float:
    """Return the smallest effect in an interval that does not hold 1."""
    ends = comparison.ratio.low, comparison.ratio.high
    return min(effect_size(math.log(end)) for end in ends if end is not None)


def decide(comparison: Comparison, p_value: float, least: Threshold) -> tuple[Verdict, str]:
    """Return FASTER or SLOWER from an adjusted p value, else UNCLEAR, with the reason."""
    objection = next(objections(comparison, p_value, least), None)
    if objection is not None:
        return Verdict.UNCLEAR, objection
    verdict = Verdict.FASTER if comparison.ratio.value < 1 else Verdict.SLOWER
    return verdict, f"{percent(comparison.agreement)} agree, adjusted p {p_value:.2g}"


def objections(comparison: Comparison, p_value: float, least: Threshold) -> Iterator[str]:
    """Yield the reasons why the two cells may not be called different, the most important first."""
    ratio = comparison.ratio
    if not ratio.excludes(1):
        yield "the interval holds 1"
    if p_value >= LEVEL:
        yield f"adjusted p {p_value:.2g}"
    if comparison.agreement < AGREEMENT:
        yield f"only {percent(comparison.agreement)} agree"
    for effect, meaning in thresholds(comparison, least):
        if comparison.effect < effect:
            yield f"{percent(comparison.effect)} is under the {percent(effect)} {meaning}"


def thresholds(comparison: Comparison, least: Threshold) -> Iterator[Threshold]:
    """Yield each threshold that an effect must reach to count, with its meaning."""
    yield least
    if comparison.chance_effect is not None:
        yield comparison.chance_effect, "that chance alone may show"
    if comparison.floor is not None:
        yield FLOORS * comparison.floor, "that is twice the noise between equal trials"


def percent(fraction: float) -> str:
    return f"{100 * fraction:.1f}".removesuffix(".0") + "\u00a0%"
