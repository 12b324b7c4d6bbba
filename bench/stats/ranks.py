"""Tests by ranks, both tails at once; scipy's, with an answer also where nothing differs."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tails:
    """One-sided p values: how well chance explains values so low, and values so high."""

    low: float
    high: float

    @property
    def two_sided(self) -> float:
        return min(1.0, 2 * min(self.low, self.high))


# beyond it the normal approximation is as good, and the exact distribution takes long to count
MOST_EXACT = 50
NO_DIFFERENCE = Tails(low=1.0, high=1.0)


def signed_rank(differences: Floats) -> Tails:
    """Wilcoxon's signed-rank test that paired differences lie around zero; zeros are left out."""
    # scipy.stats takes most of a second to import, and a report without verdicts does without it
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
    """Mann and Whitney's U test that `first` is as often below `second` as above it."""
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
    """Whether the exact distribution holds; it is counted up to so many values, without ties."""
    return len(values) <= MOST_EXACT and len(np.unique(values)) == len(values)
