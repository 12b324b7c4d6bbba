"""Adjust p values for all claims that are judged together: the step-down maxT procedure.

Westfall and Young 1993, "Resampling-Based Multiple Testing", section 2.6; Ge, Dudoit and Speed
2003, "Resampling-based multiple testing for microarray data analysis", box 2.
"""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]

# how many flips or permutations are drawn if there are too many to count all
DRAWS = 2**12
SEED = 1993
# equal statistics may differ in their last bits
TOLERANCE = 1e-9


def step_down(statistics: Floats) -> list[float]:
    """Return adjusted p values from statistics with shape (flips, claims); the first is observed.

    A claim competes with all claims whose observed statistic is not above its own.
    """
    observed = statistics[0]
    order = np.argsort(observed, kind="stable")
    highest = np.maximum.accumulate(statistics[:, order], axis=1)
    threshold = observed[order] * (1 - TOLERANCE * np.sign(observed[order]))
    reached = np.mean(highest >= threshold, axis=0)
    adjusted = np.empty(len(observed))
    adjusted[order] = np.maximum.accumulate(reached[::-1])[::-1]
    return [float(p_value) for p_value in adjusted]
