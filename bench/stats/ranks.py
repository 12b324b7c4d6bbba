"""Rank tests with both tails at once: those of scipy, with an answer even if nothing differs."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tails:
    """One-sided p values: how well chance explains values that are so low, and values so high."""

    low: float
    high: float

    @property
    def two_sided(self) -> float:
        """Return twice the smaller tail, at most 1."""
        return min(1.0, 2 * min(self.low, self.high))


# with more values the normal approximation is as good, and the exact distribution takes long
MOST_EXACT = 50
NO_DIFFERENCE = Tails(low=1.0, high=1.0)


def signed_rank(differences: Floats) -> Tails:
    """Test by Wilcoxon's signed ranks whether paired differences lie around zero; drop zeros.

    Wilcoxon 1945, "Individual comparisons by ranking methods". If nothing differs, both p values
    are 1.
    """
    # scipy.stats takes most of a second to import; a report without verdicts does not need it
    from scipy import stats  # noqa: PLC0415

    kept = differences[differences != 0]
    if not kept.size:
        return NO_DIFFERENCE
    method: Literal["exact", "approx"] = "exact" if distinct(np.abs(kept)) else "approx"
    return Tails(
        low=float(stats.wilcoxon(kept, alternative="less", method=method).pvalue),
        high=float(stats.wilcoxon(kept, alternative="greater", method=method).pvalue),
    )


def rank_sum(first: Floats, second: Floats) -> Tails:
    """Test by Mann and Whitney's U whether `first` is below `second` as often as above it.

    Mann and Whitney 1947, "On a test of whether one of two random variables is stochastically
    larger than the other". If all values are equal, both p values are 1.
    """
    from scipy import stats  # noqa: PLC0415

    pooled = np.concatenate([first, second])
    if np.ptp(pooled) == 0:
        return NO_DIFFERENCE
    method: Literal["exact", "asymptotic"] = "exact" if distinct(pooled) else "asymptotic"
    return Tails(
        low=float(stats.mannwhitneyu(first, second, alternative="less", method=method).pvalue),
        high=float(stats.mannwhitneyu(first, second, alternative="greater", method=method).pvalue),
    )


def distinct(values: Floats) -> bool:
    """Return whether the exact distribution holds: few enough values to count, and no ties."""
    return len(values) <= MOST_EXACT and len(np.unique(values)) == len(values)
