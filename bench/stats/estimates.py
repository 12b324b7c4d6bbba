"""One number for a cell, and how well it is known."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import count

import numpy as np

CONFIDENCE = 0.95
# The whole range of five values covers the true median in only 1 - 2 / 2**5 = 94 % of samples:
# under six there is no 95 % interval.
SMALLEST_SAMPLE = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A median over `n` trials with its 95 % interval; None under `SMALLEST_SAMPLE` trials."""

    value: float
    low: float | None
    high: float | None
    n: int


def cell_value(trials: Sequence[float]) -> Estimate | None:
    """The median of the trials' own medians with its interval; None for no trials."""
    if not trials:
        return None
    low, high = median_interval(trials) or (None, None)
    return Estimate(value=float(np.median(trials)), low=low, high=high, n=len(trials))


def median_interval(values: Sequence[float]) -> tuple[float, float] | None:
    """95 % interval of the median; None under `SMALLEST_SAMPLE` values.

    Two order statistics enclose the median of any distribution with a known chance, but no two of
    them with just 95 %: the ends lie between the last two that do so more often and the next ones
    (Hettmansperger and Sheather 1986, "Confidence intervals based on interpolated order
    statistics", Statistics & Probability Letters 4:75-79). In 40,000 simulated samples of 6, 7, 8,
    10, 15, 20 and 30 values with normal and with log-normal noise it held the true median in 94.4
    to 95.3 %; a percentile bootstrap in 87 to 88 % at 7 values and in 91 to 94 % at the others.
    """
    if len(values) < SMALLEST_SAMPLE:
        return None
    rank, share = innermost(len(values))
    ordered = np.sort(values)
    low, next_low = ordered[rank - 1], ordered[rank]
    high, next_high = ordered[-rank], ordered[-rank - 1]
    return float(low + share * (next_low - low)), float(high + share * (next_high - high))


@cache
def innermost(n: int) -> tuple[int, float]:
    """The highest rank whose pair of order statistics holds the median in 95 % of samples.

    With it the share of the way to the next rank at which 95 % are left.
    """
    rank = next(k for k in count(1) if coverage(n, k + 1) < CONFIDENCE)
    surplus = coverage(n, rank) - CONFIDENCE
    part = surplus / (coverage(n, rank) - coverage(n, rank + 1))
    return rank, (n - rank) * part / (rank + (n - 2 * rank) * part)


def coverage(n: int, rank: int) -> float:
    """How often the `rank`-th of `n` values from below and from above enclose the median."""
    missed = sum(math.comb(n, below) for below in range(rank))
    return 1 - math.ldexp(missed, 1 - n)


def prediction_interval(
    values: Sequence[float], confidence: float = CONFIDENCE
) -> tuple[float, float] | None:
    """Where one further draw falls, were the values normal (Student t); None under 2 values.

    Wider than an interval of the mean: it holds the spread of the draw itself as well. A result
    that someone else published is such a draw.
    """
    n = len(values)
    if n < 2:
        return None
    mean, spread = float(np.mean(values)), float(np.std(values, ddof=1))
    reach = student_t((1 + confidence) / 2, n - 1) * spread * math.sqrt(1 + 1 / n)
    return mean - reach, mean + reach


def student_t(probability: float, freedom: float) -> float:
    """The quantile of Student's t with `freedom` degrees of freedom."""
    # most reports need no quantile, and scipy takes long to import, its `stats` five times as long
    from scipy.special import stdtrit  # noqa: PLC0415

    return float(stdtrit(freedom, probability))


def samples_per_second(samples: Sequence[int], seconds: Sequence[float]) -> float:
    """All samples over all seconds. Rates are never averaged: a short slice would weigh too much.

    The project's only throughput. Raises `ValueError` for unequal lengths and for none at all.
    """
    if len(samples) != len(seconds) or not samples:
        raise ValueError(
            "throughput needs the seconds of each count. "
            f"Expected: {len(samples)} (at least 1). Received: {len(seconds)}"
        )
    return sum(samples) / sum(seconds)
