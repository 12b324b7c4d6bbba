"""Two cells against each other: how many times as long, and how sure that is.

All is done in logarithms, where twice and half as long are equally far from equal.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bench.stats.estimates import (
    CONFIDENCE,
    SMALLEST_SAMPLE,
    Estimate,
    median_interval,
    student_t,
)
from bench.stats.ranks import Floats, Tails, rank_sum, signed_rank

# What a reader would call the same: 3 % more time, or 3 % less.
SAME_WITHIN = 0.03
# At 80 % the smallest effect would pass as a difference in 1.4 % of pairs of identical cells.
POWER = 0.9
NORMAL_975 = 1.959964
# The signed-rank test, and the U test, need 1 / 0.955 times the rounds of a t test on normal noise
# (Hodges and Lehmann 1956, "The efficiency of some nonparametric competitors of the t-test").
EFFICIENCY = 3 / math.pi
# Equal ratios must stay equal after arithmetic, or ties are broken by the last bit.
DIGITS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """The seconds of a first cell over those of a second; below 1 the first is faster.

    Effects are fractions: 0.03 says that the slower one takes 1.03 times as long. What is None
    needs `SMALLEST_SAMPLE` rounds.

    `p_value`: two-sided, of no difference. `equivalence_p_value`: of a difference of more than
    `SAME_WITHIN`, the larger of two one-sided tests (Schuirmann 1987). `agreement`: share of the
    rounds (of two runs: of all pairs of a trial of each) whose ratio lies on the median's side of
    1. `minimum_detectable_effect`: found in 90 % of runs with this spread, at 5 % two-sided.
    `floor`: the effect that shows where there is none: between the even and the odd rounds of the
    same ratio (of two runs: of the same cell, and between the halves of its run).
    """

    ratio: Estimate
    agreement: float
    p_value: float | None = None
    equivalence_p_value: float | None = None
    minimum_detectable_effect: float | None = None
    floor: float | None = None

    @property
    def n(self) -> int:
        """Rounds that both cells have; of two runs, the trials of the one that has fewer."""
        return self.ratio.n

    @property
    def effect(self) -> float:
        return as_fraction(math.log(self.ratio.value))


def compare_rounds(first: Mapping[int, float], second: Mapping[int, float]) -> Comparison | None:
    """Two cells of one run, by round; None without a common round. Seconds are above zero."""
    rounds = sorted(first.keys() & second.keys())
    if not rounds:
        return None
    above, below = logarithms(first[r] for r in rounds), logarithms(second[r] for r in rounds)
    # what slowed the machine in a round slowed both: their ratio is free of it
    ratios = np.round(above - below, DIGITS)
    ratio = in_times(ratios, median_interval(ratios.tolist()), len(rounds))
    if len(rounds) < SMALLEST_SAMPLE:
        return Comparison(ratio=ratio, agreement=agreement(ratios))
    p_value, equivalence = p_values(lambda shift: signed_rank(ratios - shift))
    return Comparison(
        ratio=ratio,
        agreement=agreement(ratios),
        p_value=p_value,
        equivalence_p_value=equivalence,
        minimum_detectable_effect=detectable(squared_error(ratios), len(rounds) - 1),
        floor=floor(ratios),
    )


def compare_samples(first: Sequence[float], second: Sequence[float]) -> Comparison | None:
    """A cell of one run against a cell of another, whose rounds have nothing in common.

    Each run's seconds in the order of its rounds; None where one has none. The ratio is the median
    over all pairs of a trial of each (Hodges and Lehmann 1963).
    """
    if not first or not second:
        return None
    above, below = logarithms(first), logarithms(second)
    ratios = np.round(above[:, np.newaxis] - below, DIGITS).ravel()
    n = min(len(above), len(below))
    if n < SMALLEST_SAMPLE:
        return Comparison(ratio=in_times(ratios, None, n), agreement=agreement(ratios))
    p_value, equivalence = p_values(lambda shift: rank_sum(above - shift, below))
    error = squared_error(above) + squared_error(below)
    return Comparison(
        ratio=in_times(ratios, shift_interval(ratios, len(above), len(below)), n),
        agreement=agreement(ratios),
        p_value=p_value,
        equivalence_p_value=equivalence,
        # the fewest degrees of freedom that two unequal spreads can leave
        minimum_detectable_effect=detectable(error, n - 1),
        # no rounds are shared, so that what drifts within a run is between the runs too
        floor=max(floor(above, below), drift(above), drift(below)),
    )


def logarithms(seconds: Iterable[float]) -> Floats:
    return np.array([math.log(one) for one in seconds])


def as_fraction(logarithm: float) -> float:
    return math.expm1(abs(logarithm))


def in_times(ratios: Floats, interval: tuple[float, float] | None, n: int) -> Estimate:
    """The median ratio and its interval, out of logarithms."""
    low, high = (None, None) if interval is None else (math.exp(end) for end in interval)
    return Estimate(value=math.exp(float(np.median(ratios))), low=low, high=high, n=n)


def agreement(ratios: Floats) -> float:
    return float(np.mean(np.sign(ratios) == np.sign(np.median(ratios))))


def p_values(test: Callable[[float], Tails]) -> tuple[float, float]:
    """Of no difference, and of one beyond `SAME_WITHIN`; `test` is against a shift in logs."""
    reach = math.log1p(SAME_WITHIN)
    return test(0.0).two_sided, max(test(-reach).high, test(reach).low)


def squared_error(values: Floats) -> float:
    """Of the mean."""
    return float(np.var(values, ddof=1)) / len(values)


def detectable(squared: float, freedom: int) -> float:
    """The smallest effect that a test finds with 90 % power at 5 % two-sided.

    A multiple of the standard error (Bloom 1995, "Minimum detectable effects", Evaluation Review
    19:547-556), for the test by ranks divided by the root of its efficiency.
    """
    multiple = student_t((1 + CONFIDENCE) / 2, freedom) + student_t(POWER, freedom)
    return as_fraction(multiple * math.sqrt(squared / EFFICIENCY))


def floor(*series: Floats) -> float:
    """How far the even rounds seem to be from the odd ones; of several series the largest."""
    return as_fraction(max(abs(float(np.median(adjacent(one)))) for one in series))


def drift(rounds: Floats) -> float:
    """How far the first half of a run seems to be from its second one."""
    half = len(rounds) // 2
    return as_fraction(float(np.median(rounds[:half]) - np.median(rounds[-half:])))


def adjacent(rounds: Floats) -> Floats:
    """Differences within the pairs 0 and 1, 2 and 3, ...; a last odd one is left out."""
    whole = len(rounds) // 2 * 2
    return rounds[:whole:2] - rounds[1:whole:2]


def shift_interval(differences: Floats, first: int, second: int) -> tuple[float, float]:
    """95 % interval of the shift between two samples, that of the U test.

    It leaves out as many of the sorted differences at each end as U may fall short, by U's normal
    approximation (Moses 1953; Hollander, Wolfe and Chicken 2014, section 4.3).
    """
    pairs = first * second
    reach = NORMAL_975 * math.sqrt(pairs * (first + second + 1) / 12)
    cut = max(1, round(pairs / 2 - reach))
    ordered = np.sort(differences)
    return float(ordered[cut - 1]), float(ordered[-cut])
