"""Repeated runs: how much the runs of a side differ decides, whatever their rounds show."""

import math

import numpy as np
import pytest
from scipy import stats

from bench.stats import Verdict, judge_repeated, judge_runs
from bench.stats.repeated_runs import (
    compare_repeated,
    decide,
    detectable,
    difference_p_value,
    equivalence_p_value,
)

FIRST = np.array([0.31, 0.29, 0.33])
SECOND = np.array([0.02, -0.01, 0.0, 0.01])


def side(draw, runs=3, *, offset=0.02, effect=0.0, rounds=10, noise=0.01):
    """The seconds by round of a cell in each run of a side."""
    return [
        dict(enumerate(np.exp(effect + of_run + draw.normal(0, noise, rounds)).tolist()))
        for of_run in draw.normal(0, offset, runs)
    ]


def verdicts(cells):
    return [claim.verdict for claim in judge_repeated(cells)]


def test_p_values_and_interval_are_those_of_welch():
    received = compare_repeated((FIRST, SECOND)).ratio
    test = stats.ttest_ind(FIRST, SECOND, equal_var=False)
    low, high = test.confidence_interval(0.95)
    assert difference_p_value((FIRST, SECOND)) == pytest.approx(test.pvalue)
    assert (math.log(received.low), math.log(received.high)) == pytest.approx((low, high))
    assert received.n == 3


def test_equivalence_is_the_larger_of_two_one_sided_tests():
    near = SECOND + 0.01, SECOND
    reach = math.log(1.03)
    above = stats.ttest_ind(near[0] + reach, near[1], equal_var=False, alternative="greater")
    below = stats.ttest_ind(near[0] - reach, near[1], equal_var=False, alternative="less")
    assert equivalence_p_value(near) == pytest.approx(max(above.pvalue, below.pvalue))


@pytest.mark.parametrize(
    ("effect", "verdict"),
    [(0.2, Verdict.SLOWER), (-0.2, Verdict.FASTER), (0.0, Verdict.SAME), (0.025, Verdict.UNCLEAR)],
)
def test_equal_runs_decide(effect, verdict):
    draw = np.random.default_rng(1)
    assert verdicts([
        (side(draw, 5, offset=0.003, effect=effect), side(draw, 5, offset=0.003))
    ]) == [verdict]  # fmt: skip


def test_runs_that_differ_decide_nothing_though_their_rounds_are_sure():
    """One run of each side is called different; the other runs show that this is chance."""
    draw = np.random.default_rng(2)
    first, second = side(draw, effect=0.4), side(draw)
    first[1:] = second[:2]
    (alone,), ((pair,),) = judge_repeated([(first, second)]), judge_runs([[(first[0], second[0])]])
    assert (pair.verdict, alone.verdict) == (Verdict.SLOWER, Verdict.UNCLEAR)
    assert alone.reason.startswith("the runs of a side differ too much, adjusted p ")


def test_all_cells_are_one_family():
    draw = np.random.default_rng(3)
    cells = [(side(draw, effect=effect), side(draw)) for effect in (0.1, 0.0, 0.0, 0.0)]
    (alone,), (together, *_) = judge_repeated(cells[:1]), judge_repeated(cells)
    assert together.p_value == pytest.approx(4 * alone.p_value)
    assert together.detectable > alone.detectable


def test_runs_with_few_rounds_do_not_count_and_cost_the_others_nothing():
    draw = np.random.default_rng(4)
    sure = side(draw, offset=0.001, effect=0.2), side(draw, offset=0.001)
    few = [*side(draw, 2), *side(draw, 1, rounds=5)], side(draw)
    decided, undecided, empty = judge_repeated([sure, few, ([{}] * 3, side(draw))])
    assert decided == judge_repeated([sure])[0]
    assert (undecided.verdict, empty.verdict) == (Verdict.UNDECIDED,) * 2
    assert undecided.reason == "2 of the 3 runs with 6 good rounds that a verdict needs"
    assert undecided.comparison.ratio.low is None
    assert empty.comparison is None


def test_a_sure_effect_under_three_percent_is_no_difference():
    comparison = compare_repeated((np.array([0.025, 0.0251, 0.0249]), SECOND * 0))
    verdict, reason = decide(comparison, 0.001, 0.2)
    assert verdict is Verdict.UNCLEAR
    assert reason.replace("\u00a0", " ") == "2.5 % is under the 3 % that counts"


def test_identical_runs_are_the_same():
    draw = np.random.default_rng(5)
    runs = side(draw, 1) * 3
    assert verdicts([(runs, runs)]) == [Verdict.SAME]


def test_swapping_the_sides_mirrors_the_claim():
    draw = np.random.default_rng(6)
    pair = side(draw, effect=0.3), side(draw)
    (there,), (back,) = judge_repeated([pair]), judge_repeated([pair[::-1]])
    assert (there.verdict, back.verdict) == (Verdict.SLOWER, Verdict.FASTER)
    assert there.comparison.ratio.low * back.comparison.ratio.high == pytest.approx(1)


def test_the_detectable_effect_is_found_in_about_nine_of_ten_comparisons():
    """With ten runs per side, whose spread is well known."""
    draw = np.random.default_rng(7)
    size = detectable((quantiles(), quantiles()), 1)
    cells = [(side(draw, 10, effect=math.log1p(size)), side(draw, 10)) for _ in range(200)]
    found = [judge_repeated([cell])[0].verdict is Verdict.SLOWER for cell in cells]
    assert 0.8 <= np.mean(found) <= 1


def quantiles():
    """Ten values with a standard deviation of 0.02."""
    values = stats.norm.ppf(np.arange(0.05, 1, 0.1))
    return 0.02 * values / np.std(values, ddof=1)


def test_nothing_to_judge():
    assert judge_repeated([]) == []
