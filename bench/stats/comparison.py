"""Compare two cells: the ratio of their times, and how sure it is.

All is computed in logarithms, in which twice as long and half as long are equally far from equal.
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
from bench.stats.ranks import Alternative, Floats, rank_sum, signed_rank

# Times within this share count as the same: 3 % more, or 3 % less.
SAME_WITHIN = 0.03
# At 80 % power the smallest effect would pass as a difference in 1.4 % of pairs of equal cells.
POWER = 0.9
NORMAL_975 = 1.959964
# The signed-rank test and the U test need 1 / 0.955 times the rounds of a t test on normal noise
# (Hodges and Lehmann 1956, "The efficiency of some nonparametric competitors of the t-test").
EFFICIENCY = 3 / math.pi
# Equal ratios must stay equal after arithmetic; else the last bit would break ties.
DIGITS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """The seconds of a first cell divided by those of a second; below 1 the first is faster.

    Effects are fractions: 0.03 says that the slower cell takes 1.03 times as long. Values that are
    None need at least `SMALLEST_SAMPLE` rounds.

    `p_value`: two-sided, of no difference. `equivalence_p_value`: of a difference of more than
    `SAME_WITHIN`, the larger of two one-sided tests (Schuirmann 1987). `agreement`: share of the
    rounds whose ratio lies on the median's side of 1; between two runs, share of all pairs of a
    trial of each. `minimum_detectable_effect`: detected in 90 % of runs with this spread, at 5 %
    two-sided. `floor`: the effect that is measured though there is none: between the even and the
    odd rounds of the same ratio. Between two runs it is that of each cell, or between the halves of
    its run.
    """

    ratio: Estimate
    agreement: float
    p_value: float | None = None
    equivalence_p_value: float | None = None
    minimum_detectable_effect: float | None = None
    floor: float | None = None

    @property
    def n(self) -> int:
        """Return the rounds that both cells have; between two runs, the smaller count of trials."""
        return self.ratio.n

    @property
    def effect(self) -> float:
        """Return the median ratio's distance from 1 as a fraction, at least 0."""
        return effect_size(math.log(self.ratio.value))


def compare_rounds(first: Mapping[int, float], second: Mapping[int, float]) -> Comparison | None:
    """Compare two cells of one run by their seconds per round; None without a common round.

    Seconds must be above zero.
    """
    rounds = sorted(first.keys() & second.keys())
    if not rounds:
        return None
    above, below = logarithms(first[r] for r in rounds), logarithms(second[r] for r in rounds)
    # a slow machine in a round slows both cells: their ratio is free of it
    ratios = np.round(above - below, DIGITS)
    ratio = ratio_estimate(ratios, median_interval(ratios.tolist()), len(rounds))
    if len(rounds) < SMALLEST_SAMPLE:
        return Comparison(ratio=ratio, agreement=agreement(ratios))
    p_value, equivalence = p_values(lambda shift, side: signed_rank(ratios - shift, side))
    return Comparison(
        ratio=ratio,
        agreement=agreement(ratios),
        p_value=p_value,
        equivalence_p_value=equivalence,
        minimum_detectable_effect=detectable(squared_error(ratios), len(rounds) - 1),
        floor=floor(ratios),
    )


def compare_samples(first: Sequence[float], second: Sequence[float]) -> Comparison | None:
    """Compare a cell of one run with a cell of another run; their rounds have nothing in common.

    `first` and `second` are each run's seconds in the order of its rounds; the result is None if
    either is empty. The ratio is the median over all pairs of a trial of each run (Hodges and
    Lehmann 1963).
    """
    if not first or not second:
        return None
    above, below = logarithms(first), logarithms(second)
    ratios = np.round(above[:, np.newaxis] - below, DIGITS).ravel()
    n = min(len(above), len(below))
    if n < SMALLEST_SAMPLE:
        return Comparison(ratio=ratio_estimate(ratios, None, n), agreement=agreement(ratios))
    p_value, equivalence = p_values(lambda shift, side: rank_sum(above - shift, below, side))
    error = squared_error(above) + squared_error(below)
    return Comparison(
        ratio=ratio_estimate(ratios, shift_interval(ratios, len(above), len(below)), n),
        agreement=agreement(ratios),
        p_value=p_value,
        equivalence_p_value=equivalence,
        # the fewest degrees of freedom that two unequal spreads can leave
        minimum_detectable_effect=detectable(error, n - 1),
        # no rounds are shared, so that a drift within a run also lies between the runs
        floor=max(floor(above, below), drift(above), drift(below)),
    )


def logarithms(seconds: Iterable[float]) -> Floats:
    """Return natural logarithms; raises `ValueError` for seconds that are not above zero."""
    return np.array([math.log(one) for one in seconds])


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


def p_values(test: Callable[[float, Alternative], float]) -> tuple[float, float]:
    """Return the p values of no difference and of a difference beyond `SAME_WITHIN`.

    `test` returns the p value of the values less a shift in logarithms, for an alternative. The
    second p value is the larger one of two one-sided tests (Schuirmann 1987).
    """
    reach = math.log1p(SAME_WITHIN)
    equivalence = max(test(-reach, "greater"), test(reach, "less"))
    return test(0.0, "two-sided"), equivalence


def squared_error(values: Floats) -> float:
    """Return the squared standard error of the mean."""
    return float(np.var(values, ddof=1)) / len(values)


def detectable(squared: float, freedom: int) -> float:
    """Return the smallest effect that a test detects with 90 % power at 5 % two-sided.

    It is a multiple of the standard error (Bloom 1995, "Minimum detectable effects", Evaluation
    Review 19:547-556). For a test by ranks it is divided by the root of that test's efficiency.
    """
    multiple = student_t((1 + CONFIDENCE) / 2, freedom) + student_t(POWER, freedom)
    return effect_size(multiple * math.sqrt(squared / EFFICIENCY))


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
