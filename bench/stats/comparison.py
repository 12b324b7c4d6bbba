"""Compare two cells: the ratio of their times, and how sure it is.

All is computed in logarithms, in which twice as long and half as long are equally far from equal.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from bench.stats.estimates import (
    CONFIDENCE,
    SMALLEST_SAMPLE,
    Estimate,
    median_interval,
    student_t,
)
from bench.stats.step_down import Floats

# Times within this share count as the same: 3 % more, or 3 % less.
SAME_WITHIN = 0.03
# At 80 % power the smallest effect would pass as a difference in 1.4 % of pairs of equal cells.
POWER = 0.9
NORMAL_975 = 1.959964
# Equal ratios must stay equal after arithmetic.
DIGITS = 12

# seconds by round
Rounds: TypeAlias = Mapping[int, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """The seconds of a first cell divided by those of a second; below 1 the first is faster.

    Effects are fractions: 0.03 says that the slower cell takes 1.03 times as long. Values that are
    None need at least `SMALLEST_SAMPLE` rounds.

    `deviation`: standard deviation of the log ratios. `agreement`: share of the rounds whose ratio
    lies on the median's side of 1. Between two runs, both are of all pairs of a trial of each.
    `chance_effect`: the effect that a t test of this comparison alone detects with 90 % power.
    `floor`: the effect that is measured though there is none: between the even and the odd rounds
    of the same ratio. Between two runs it is that of each cell, or between the halves of its run.
    """

    ratio: Estimate
    agreement: float
    deviation: float | None = None
    chance_effect: float | None = None
    floor: float | None = None

    @property
    def n(self) -> int:
        """Return the rounds that both cells have; between two runs, the smaller count of trials."""
        return self.ratio.n

    @property
    def effect(self) -> float:
        """Return the median ratio's distance from 1 as a fraction, at least 0."""
        return effect_size(math.log(self.ratio.value))


def round_ratios(first: Rounds, second: Rounds) -> dict[int, float]:
    """Return the log ratio of each round that both cells have, from their seconds per round.

    Seconds must be above zero. A slow machine in a round slows both cells: their ratio is free of
    it.
    """
    rounds = sorted(first.keys() & second.keys())
    return {turn: round(math.log(first[turn]) - math.log(second[turn]), DIGITS) for turn in rounds}


def compare_rounds(first: Rounds, second: Rounds) -> Comparison | None:
    """Compare two cells of one run by their seconds per round; None without a common round."""
    ratios = np.array(list(round_ratios(first, second).values()))
    if not ratios.size:
        return None
    ratio = ratio_estimate(ratios, median_interval(ratios.tolist()), len(ratios))
    if len(ratios) < SMALLEST_SAMPLE:
        return Comparison(ratio=ratio, agreement=agreement(ratios))
    return Comparison(
        ratio=ratio,
        agreement=agreement(ratios),
        deviation=float(np.std(ratios, ddof=1)),
        chance_effect=chance_effect(squared_error(ratios), len(ratios) - 1),
        floor=floor(ratios),
    )


def compare_samples(first: Rounds, second: Rounds) -> Comparison | None:
    """Compare a cell of one run with a cell of another run; their rounds have nothing in common.

    `first` and `second` are each run's seconds per round; the result is None if either is empty.
    The ratio is the median over all pairs of a trial of each run (Hodges and Lehmann 1963).
    """
    if not first or not second:
        return None
    above, below = logarithms(first), logarithms(second)
    ratios = np.round(above[:, np.newaxis] - below, DIGITS).ravel()
    n = min(len(above), len(below))
    if n < SMALLEST_SAMPLE:
        return Comparison(ratio=ratio_estimate(ratios, None, n), agreement=agreement(ratios))
    return Comparison(
        ratio=ratio_estimate(ratios, shift_interval(ratios, len(above), len(below)), n),
        agreement=agreement(ratios),
        deviation=math.hypot(np.std(above, ddof=1), np.std(below, ddof=1)),
        # the fewest degrees of freedom that two unequal spreads can leave
        chance_effect=chance_effect(squared_error(above) + squared_error(below), n - 1),
        # no rounds are shared, so that a drift within a run also lies between the runs
        floor=max(floor(above, below), drift(above), drift(below)),
    )


def logarithms(seconds: Rounds) -> Floats:
    """Return natural logarithms in the order of the rounds.

    Raises `ValueError` for seconds that are not above zero.
    """
    return np.array([math.log(seconds[turn]) for turn in sorted(seconds)])


def effect_size(logarithm: float) -> float:
    """Return the effect exp(|logarithm|) - 1: 0.03 if the slower cell takes 1.03 times as long."""
    return math.expm1(abs(logarithm))


def ratio_estimate(ratios: Floats, interval: tuple[float, float] | None, n: int) -> Estimate:
    """Return the median ratio with its interval, converted from logarithms."""
    low, high = (None, None) if interval is None else (math.exp(end) for end in interval)
    return Estimate(value=math.exp(float(np.median(ratios))), low=low, high=high, n=n)


def agreement(ratios: Floats) -> float:
    """Return the share of the log ratios that have the sign of their median."""
    return float(np.mean(np.sign(ratios) == np.sign(np.median(ratios))))


def squared_error(values: Floats) -> float:
    """Return the squared standard error of the mean."""
    return float(np.var(values, ddof=1)) / len(values)


def chance_effect(squared: float, freedom: int) -> float:
    """Return the effect that a t test at 5 % two-sided detects with 90 % power.

    It is a multiple of the standard error (Bloom 1995, "Minimum detectable effects", Evaluation
    Review 19:547-556). A smaller effect is not called a difference, whatever its p value: of one
    comparison alone, 5 % of equal cells have a p value under 5 %.
    """
    multiple = student_t((1 + CONFIDENCE) / 2, freedom) + student_t(POWER, freedom)
    return effect_size(multiple * math.sqrt(squared))


def floor(*series: Floats) -> float:
    """Return the effect between the even and the odd rounds; the largest one of several series."""
    return effect_size(max(abs(float(np.median(adjacent(one)))) for one in series))


def drift(rounds: Floats) -> float:
    """Return the effect between the first and the second half of a run."""
    half = len(rounds) // 2
    return effect_size(float(np.median(rounds[:half]) - np.median(rounds[-half:])))


def adjacent(rounds: Floats) -> Floats:
    """Return the differences within the pairs 0 and 1, 2 and 3, ...; an odd last value has none."""
    whole = len(rounds) // 2 * 2
    return rounds[:whole:2] - rounds[1:whole:2]


def shift_interval(differences: Floats, first: int, second: int) -> tuple[float, float]:
    """Return the 95 % interval of the shift between two samples that the U test implies.

    At each end as many of the sorted differences are left out as U may fall short, by U's normal
    approximation (Moses 1953; Hollander, Wolfe and Chicken 2014, section 4.3).
    """
    pairs = first * second
    reach = NORMAL_975 * math.sqrt(pairs * (first + second + 1) / 12)
    cut = max(1, round(pairs / 2 - reach))
    ordered = np.sort(differences)
    return float(ordered[cut - 1]), float(ordered[-cut])
