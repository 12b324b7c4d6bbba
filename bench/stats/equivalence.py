"""Compare the accuracies of two backends over seeds: equivalent, different, or undecided."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from bench.stats.estimates import CONFIDENCE, student_t
from bench.stats.holm import adjust
from bench.stats.verdicts import LEVEL

# Seeds that a verdict needs, and the difference that still counts as none, as a fraction.
FEWEST_SEEDS = 10
MARGIN = 0.0030
# with this many seeds the margin may be smaller, but not smaller than the spread of the seeds
MANY_SEEDS = 20
MARGIN_OF_MANY = 0.0020
SPREADS = 1.5


class AccuracyVerdict(StrEnum):
    """The verdict on two means over seeds. EQUIVALENT is shown by a test of its own.

    It is more than the lack of a difference.
    """

    EQUIVALENT = "EQUIVALENT"
    DIFFERENT = "DIFFERENT"
    INCONCLUSIVE = "INCONCLUSIVE"


@dataclass(frozen=True, slots=True, kw_only=True)
class MeanDifference:
    """The first mean minus the second, as a fraction, with its 95 % interval (Welch 1947).

    `n` is the smaller number of seeds. `p_value`: two-sided, of no difference.
    `equivalence_p_value`: of a difference of `margin` or more, the larger of two one-sided tests
    (Schuirmann 1987). With fewer than `FEWEST_SEEDS` seeds the margin and both p values are None;
    with fewer than two seeds the interval is None too.
    """

    n: int
    difference: float
    low: float | None = None
    high: float | None = None
    margin: float | None = None
    p_value: float | None = None
    equivalence_p_value: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccuracyClaim:
    """A verdict with one clause that gives its reason; p values are adjusted for all claims."""

    comparison: MeanDifference
    p_value: float | None
    equivalence_p_value: float | None
    verdict: AccuracyVerdict
    reason: str


def compare_means(first: Sequence[float], second: Sequence[float]) -> MeanDifference:
    """Compare the final accuracies of two cells, given as one fraction per seed.

    Raises `ValueError` if a cell has no seed.
    """
    if not first or not second:
        raise ValueError("means need a value each. Expected: 1 or more. Received: none")
    n = min(len(first), len(second))
    difference = float(np.mean(first) - np.mean(second))
    if n < 2:
        return MeanDifference(n=n, difference=difference)
    error, freedom = welch(first, second)
    reach = student_t((1 + CONFIDENCE) / 2, freedom) * error
    interval = {"low": difference - reach, "high": difference + reach}
    if n < FEWEST_SEEDS:
        return MeanDifference(n=n, difference=difference, **interval)
    margin = margin_of(first, second)
    return MeanDifference(
        n=n,
        difference=difference,
        **interval,
        margin=margin,
        p_value=2 * tail_probability(abs(difference), error, freedom),
        equivalence_p_value=tail_probability(margin - abs(difference), error, freedom),
    )


def welch(first: Sequence[float], second: Sequence[float]) -> tuple[float, float]:
    """Return the standard error of the difference of two means, and its degrees of freedom.

    Welch 1947, "The generalization of 'Student's' problem when several different population
    variances are involved", with Satterthwaite's degrees of freedom.
    """
    parts = [(float(np.var(one, ddof=1)) / len(one), len(one) - 1) for one in (first, second)]
    squared = sum(part for part, _ in parts)
    if not squared:
        return 0.0, float(sum(freedom for _, freedom in parts))
    return math.sqrt(squared), squared**2 / sum(part**2 / freedom for part, freedom in parts)


def tail_probability(distance: float, error: float, freedom: float) -> float:
    """Return the one-sided p value: how often chance alone gets as far above zero as `distance`."""
    if not error:
        # if all seeds agree to the last image, nothing is left to chance
        return 0.0 if distance > 0 else 0.5 if distance == 0 else 1.0
    # scipy takes long to import, and most reports compare no seeds
    from scipy.special import stdtr  # noqa: PLC0415

    return float(stdtr(freedom, -distance / error))


def margin_of(first: Sequence[float], second: Sequence[float]) -> float:
    """Return the difference that still counts as none; the rule was set before any measurement."""
    if min(len(first), len(second)) < MANY_SEEDS:
        return MARGIN
    pooled = math.sqrt((float(np.var(first, ddof=1)) + float(np.var(second, ddof=1))) / 2)
    return max(MARGIN_OF_MANY, SPREADS * pooled)


def judge_means(comparisons: Sequence[MeanDifference]) -> list[AccuracyClaim]:
    """Return one claim per comparison, in their order; pass all that are published together.

    The p values are adjusted by Holm's method, those of equivalence separately from those of
    difference.
    """
    different = adjust([one.p_value for one in comparisons])
    same = adjust([one.equivalence_p_value for one in comparisons])
    return [claim(*parts) for parts in zip(comparisons, different, same, strict=True)]


def claim(comparison: MeanDifference, different: float | None, same: float | None) -> AccuracyClaim:
    """Return the claim that the comparison and its adjusted p values allow."""
    verdict, reason = decide(comparison, different, same)
    return AccuracyClaim(
        comparison=comparison,
        p_value=different,
        equivalence_p_value=same,
        verdict=verdict,
        reason=reason,
    )


def decide(
    comparison: MeanDifference, different: float | None, same: float | None
) -> tuple[AccuracyVerdict, str]:
    """Return the verdict and its reason, from adjusted p values."""
    if different is None or same is None or comparison.margin is None:
        few = f"{comparison.n} of the {FEWEST_SEEDS} seeds that a verdict needs"
        return AccuracyVerdict.INCONCLUSIVE, few
    margin = f"{100 * comparison.margin:.2f} points"
    if same < LEVEL:
        return AccuracyVerdict.EQUIVALENT, f"within {margin}, adjusted p {same:.2g}"
    if different < LEVEL:
        return AccuracyVerdict.DIFFERENT, f"adjusted p {different:.2g}"
    return (
        AccuracyVerdict.INCONCLUSIVE,
        f"neither within {margin} (adjusted p {same:.2g}) nor different ({different:.2g})",
    )
