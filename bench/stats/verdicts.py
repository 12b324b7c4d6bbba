"""Decide what a comparison allows a report to say, and give the reason if it allows no more."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from bench.stats.comparison import SAME_WITHIN, Comparison
from bench.stats.estimates import SMALLEST_SAMPLE

LEVEL = 0.05
AGREEMENT = 0.8
# An effect counts if it is at least this many times the difference between equal trials.
FLOORS = 2


class Verdict(StrEnum):
    """The verdict on the first cell: FASTER takes less time than the second cell."""

    FASTER = "FASTER"
    SLOWER = "SLOWER"
    SAME = "SAME"
    AMBIGUOUS = "AMBIGUOUS"


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A verdict with one clause that gives its reason, or names what is missing.

    The p values are the comparison's, adjusted for all claims that were judged together; None if
    there was nothing to test.
    """

    comparison: Comparison | None
    p_value: float | None
    equivalence_p_value: float | None
    verdict: Verdict
    reason: str


def fewest_rounds(claims: int) -> int:
    """Return the rounds with which all of `claims` could be called different.

    They suffice if all rounds of a claim agree in sign. The signed-rank test's smallest two-sided p
    value is 2 / 2^n; Holm's first step multiplies it by the number of claims.
    """
    return max(SMALLEST_SAMPLE, math.ceil(1 + math.log2(max(1, claims) / LEVEL) + 1e-9))


def judge(comparisons: Sequence[Comparison | None], least: float = SAME_WITHIN) -> list[Claim]:
    """Return one claim per comparison, in their order; pass all that are published together.

    No two cells are called different by less than `least`, a fraction.

    Differences and equalities are adjusted separately: of ten printed SAMEs all must be right, as
    of ten FASTERs, but no pair of cells can make both kinds false.
    """
    different = adjust([None if one is None else one.p_value for one in comparisons])
    same = adjust([None if one is None else one.equivalence_p_value for one in comparisons])
    together = sum(p_value is not None for p_value in different)
    return [
        claim(*parts, together, least) for parts in zip(comparisons, different, same, strict=True)
    ]


def adjust(p_values: Sequence[float | None]) -> list[float | None]:
    """Adjust the p values by Holm's method; a None is no claim and stays None."""
    known = iter(holm([p_value for p_value in p_values if p_value is not None]))
    return [None if p_value is None else next(known) for p_value in p_values]


def holm(p_values: Sequence[float]) -> list[float]:
    """Return adjusted p values, in the order given: below 5 %, all are right in 95 % of reports.

    Holm 1979, "A simple sequentially rejective multiple test procedure".
    """
    order = np.argsort(p_values, kind="stable")
    weights = np.arange(len(p_values), 0, -1)
    stepped = np.minimum(1.0, np.maximum.accumulate(weights * np.take(p_values, order)))
    found = np.empty(len(p_values))
    found[order] = stepped
    return [float(p_value) for p_value in found]


def claim(
    comparison: Comparison | None,
    different: float | None,
    same: float | None,
    together: int,
    least: float,
) -> Claim:
    """Return the claim that the comparison and its adjusted p values allow."""
    verdict, reason = decide(comparison, different, same, together, least)
    return Claim(
        comparison=comparison,
        p_value=different,
        equivalence_p_value=same,
        verdict=verdict,
        reason=reason,
    )


def decide(
    comparison: Comparison | None,
    different: float | None,
    same: float | None,
    together: int,
    least: float,
) -> tuple[Verdict, str]:
    """Return the verdict and its reason, from adjusted p values."""
    if comparison is None:
        return Verdict.AMBIGUOUS, "no round with both"
    if different is None or same is None:
        return Verdict.AMBIGUOUS, f"fewer than {SMALLEST_SAMPLE} rounds"
    objection = next(objections(comparison, different, together, least), None)
    if objection is None:
        verdict = Verdict.FASTER if comparison.ratio.value < 1 else Verdict.SLOWER
        return verdict, f"{percent(comparison.agreement)} agree, adjusted p {different:.2g}"
    if same < LEVEL and comparison.effect < SAME_WITHIN:
        return Verdict.SAME, f"within {percent(SAME_WITHIN)}, adjusted p {same:.2g}"
    return Verdict.AMBIGUOUS, objection


def objections(
    comparison: Comparison, p_value: float, together: int, least: float
) -> Iterator[str]:
    """Yield the reasons why the two cells may not be called different, the most important first."""
    ratio = comparison.ratio
    if ratio.low is None or ratio.high is None or ratio.low <= 1 <= ratio.high:
        yield "the interval holds 1"
    if p_value >= LEVEL and comparison.agreement == 1:
        yield f"{ratio.n} rounds are too few to judge {together} claims"
    if p_value >= LEVEL:
        yield f"adjusted p {p_value:.2g}"
    if comparison.agreement < AGREEMENT:
        yield f"only {percent(comparison.agreement)} agree"
    for threshold, meaning in thresholds(comparison, least):
        if comparison.effect < threshold:
            yield f"{percent(comparison.effect)} is under {meaning}"


def thresholds(comparison: Comparison, least: float) -> Iterator[tuple[float, str]]:
    """Yield each threshold that an effect must reach to count, with its meaning."""
    yield least, f"the {percent(least)} that counts"
    smallest, floor = comparison.minimum_detectable_effect, comparison.floor
    if smallest is not None:
        yield smallest, f"the smallest effect that could be found, {percent(smallest)}"
    if floor is not None:
        yield FLOORS * floor, f"twice the noise between equal trials, {percent(FLOORS * floor)}"


def percent(fraction: float) -> str:
    return f"{100 * fraction:.1f}".removesuffix(".0") + "\u00a0%"
