"""State the smallest difference that a run detects, simulated for the whole rule of a verdict."""

import math

from bench.stats.comparison import NORMAL_975, SAME_WITHIN, Comparison, effect_size

# The standard normal value that a tenth of draws exceeds.
NORMAL_90 = 1.281552
# The median of normal values has this many times the standard error of their mean.
MEDIAN_ERROR = math.sqrt(math.pi / 2)
CLAIMS = (1, 4, 10, 30, 100)
# By rounds: the effect in standard deviations of a claim's log ratios, for each number of CLAIMS.
# `python -m scripts.simulations.detectable` prints them. With 300 runs they vary by 0.1 to 0.2.
DEVIATIONS = {
    6: (2.7, 3.2, 3.7, 4.7, 5.9),
    7: (2.5, 2.4, 2.7, 3.2, 3.7),
    8: (2.1, 2.1, 2.3, 2.6, 3.2),
    9: (2.2, 2.2, 2.2, 2.3, 2.6),
    10: (1.9, 2.1, 2.1, 2.1, 2.5),
    12: (1.7, 1.9, 1.8, 1.8, 2.0),
    14: (1.8, 1.8, 1.8, 1.8, 1.7),
    16: (1.5, 1.6, 1.5, 1.6, 1.7),
    20: (1.4, 1.4, 1.5, 1.5, 1.5),
    24: (1.4, 1.5, 1.4, 1.5, 1.4),
    30: (1.3, 1.3, 1.4, 1.3, 1.3),
}


def within_run(comparison: Comparison, claims: int) -> float:
    """Return the effect that nine of ten runs find, of two cells among `claims` judged together."""
    assert comparison.deviation is not None, "six rounds have a deviation"
    rounds = max(rounds for rounds in DEVIATIONS if rounds <= comparison.n)
    column = next((i for i, most in enumerate(CLAIMS) if claims <= most), len(CLAIMS) - 1)
    shown = effect_size(DEVIATIONS[rounds][column] * comparison.deviation)
    return max(shown, beyond(comparison, SAME_WITHIN))


def between_runs(comparison: Comparison, least: float) -> float:
    """Return the effect that nine of ten pairs of runs find.

    Their whole interval must lie beyond `least`.
    """
    return max(comparison.chance_effect or 0.0, beyond(comparison, least, NORMAL_975))


def beyond(comparison: Comparison, least: float, reach: float = 0.0) -> float:
    """Return the true effect with which nine of ten medians are above `least`.

    With `reach`, they must be above it by this many standard errors.
    """
    assert comparison.deviation is not None, "six rounds have a deviation"
    error = MEDIAN_ERROR * comparison.deviation / math.sqrt(comparison.n)
    return effect_size(math.log1p(least) + (NORMAL_90 + reach) * error)
