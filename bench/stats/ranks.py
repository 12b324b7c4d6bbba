"""Rank tests: those of SciPy, with an answer even if nothing differs."""

from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
# what the values are under the alternative: of another size, below or above
Alternative: TypeAlias = Literal["two-sided", "less", "greater"]

# with more values the normal approximation is as good, and the exact distribution takes long
MOST_EXACT = 50
NO_DIFFERENCE = 1.0


def signed_rank(differences: Floats, alternative: Alternative) -> float:
    """Return the p value of Wilcoxon's signed ranks for paired differences around zero.

    Differences of zero are dropped; the p value is 1 if nothing differs. Wilcoxon 1945, "Individual
    comparisons by ranking methods".
    """
    # scipy.stats takes most of a second to import; a report without verdicts does not need it
    from scipy import stats  # noqa: PLC0415

    kept = differences[differences != 0]
    if not kept.size:
        return NO_DIFFERENCE
    method: Literal["exact", "approx"] = "exact" if distinct(np.abs(kept)) else "approx"
    return float(stats.wilcoxon(kept, alternative=alternative, method=method).pvalue)


def rank_sum(first: Floats, second: Floats, alternative: Alternative) -> float:
    """Return the p value of Mann and Whitney's U for two samples without pairs.

    The alternative `less` says that `first` is below `second`. The p value is 1 if all values are
    equal. Mann and Whitney 1947, "On a test of whether one of two random variables is
    stochastically larger than the other".
    """
    from scipy import stats  # noqa: PLC0415

    pooled = np.concatenate([first, second])
    if np.ptp(pooled) == 0:
        return NO_DIFFERENCE
    method: Literal["exact", "asymptotic"] = "exact" if distinct(pooled) else "asymptotic"
    return float(stats.mannwhitneyu(first, second, alternative=alternative, method=method).pvalue)


def distinct(values: Floats) -> bool:
    """Return whether the exact distribution holds: few enough values to count, and no ties."""
    return len(values) <= MOST_EXACT and len(np.unique(values)) == len(values)
