"""Estimate one number per cell, with its uncertainty."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import count

import numpy as np

CONFIDENCE = 0.95
# The whole range of five values covers the true median in only 1 - 2 / 2**5 = 94 % of samples:
# below six values there is no 95 % interval.
SMALLEST_SAMPLE = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A median over `n` trials with its 95 % interval.

    The ends of the interval are None with fewer than `SMALLEST_SAMPLE` trials.
    """

    value: float
    low: float | None
    high: float | None
    n: int

    def excludes(self, number: float) -> bool:
        """Return whether there is an interval, and the number lies outside."""
        if self.low is None or self.high is None:
            return False
        return not self.low <= number <= self.high

    def inverse(self) -> "Estimate":
        """Return the estimate of the inverse of a positive number: of a speed from a time."""
        low, high = (None if end is None else 1 / end for end in (self.high, self.low))
        return Estimate(value=1 / self.value, low=low, high=high, n=self.n)


def cell_value(trials: Sequence[float]) -> Estimate | None:
    """Return the median of the trials' own medians with its interval; None without trials."""
    if not trials:
        return None
    low, high = median_interval(trials) or (None, None)
    return Estimate(value=float(np.median(trials)), low=low, high=high, n=len(trials))


def median_interval(values: Sequence[float]) -> tuple[float, float] | None:
    """Return the 95 % interval of the median; None with fewer than `SMALLEST_SAMPLE` values.

    Two order statistics enclose the median of any distribution with a known chance, but no two of
    them with exactly 95 %. The ends therefore lie between the innermost pair that does so more
    often and the next pair inward (Hettmansperger and Sheather 1986, "Confidence intervals based on
    interpolated order statistics", Statistics & Probability Letters 4:75-79). In 40,000 simulated
    samples of 6, 7, 8, 10, 15, 20 and 30 values with normal and with log-normal noise it held the
    true median in 94.4 to 95.3 %. A percentile bootstrap held it in 87 to 88 % at 7 values and in
    91 to 94 % at the others.
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
    """Return the highest rank whose pair of order statistics holds the median in 95 % of samples.

    Returned with it is the share of the way to the next rank at which 95 % are left.
    """
    rank = next(k for k in count(1) if coverage(n, k + 1) < CONFIDENCE)
    surplus = coverage(n, rank) - CONFIDENCE
    part = surplus / (coverage(n, rank) - coverage(n, rank + 1))
    return rank, (n - rank) * part / (rank + (n - 2 * rank) * part)


def coverage(n: int, rank: int) -> float:
    """Return how often a pair of order statistics of `n` values encloses the median.

    The pair is the `rank`-th value from below and the `rank`-th from above. It misses the median if
    fewer than `rank` values lie on one side of it, each with chance 1/2: a binomial sum.
    """
    missed = sum(math.comb(n, below) for below in range(rank))
    return 1 - math.ldexp(missed, 1 - n)


def prediction_interval(
    values: Sequence[float], confidence: float = CONFIDENCE
) -> tuple[float, float] | None:
    """Return the interval of one further draw from a normal distribution; None below 2 values.

    It is mean +- t s sqrt(1 + 1/n), with Student's t and the sample's standard deviation s (Hahn
    and Meeker 1991, "Statistical Intervals"). It is wider than an interval of the mean, because it
    also holds the spread of the draw itself. A result that another author published is such a draw.
    """
    n = len(values)
    if n < 2:
        return None
    mean, spread = float(np.mean(values)), float(np.std(values, ddof=1))
    reach = student_t((1 + confidence) / 2, n - 1) * spread * math.sqrt(1 + 1 / n)
    return mean - reach, mean + reach


def student_t(probability: float, freedom: float) -> float:
    """Return the quantile of Student's t with `freedom` degrees of freedom."""
    # most reports need no quantile; scipy takes long to import, and its `stats` five times as long
    from scipy.special import stdtrit  # noqa: PLC0415

    return float(stdtrit(freedom, probability))


def samples_per_second(samples: Sequence[int], seconds: Sequence[float]) -> float:
    """Divide all samples by all seconds.

    Rates are never averaged: a short slice would weigh too much. This is the project's only
    throughput. Raises `ValueError` for unequal lengths and for empty sequences.
    """
    if len(samples) != len(seconds) or not samples:
        raise ValueError(
            "throughput needs the seconds of each count. "
            f"Expected: {len(samples)} (at least 1). Received: {len(seconds)}"
        )
    return sum(samples) / sum(seconds)
