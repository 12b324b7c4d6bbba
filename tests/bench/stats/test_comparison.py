"""Comparisons agree with results by hand and with simulated runs of a known ratio."""

import math

import numpy as np
import pytest

from bench.stats import compare_rounds, compare_samples, judge_rounds
from tests.bench.stats.simulated import runs


def by_round(*seconds):
    return dict(enumerate(seconds))


def test_rounds_are_paired_by_their_number():
    comparison = compare_rounds({0: 1.0, 2: 3.0, 7: 4.0}, {7: 2.0, 2: 3.0, 9: 1.0})
    assert (comparison.ratio.value, comparison.n) == (pytest.approx(math.sqrt(2)), 2)
    assert compare_rounds({0: 1.0}, {1: 1.0}) is None
    assert compare_samples({}, {0: 1.0}) is None


@pytest.mark.parametrize("compare", [compare_rounds, compare_samples])
def test_under_six_rounds_nothing_is_tested(compare):
    seconds = by_round(1.0, 1.1, 1.2, 1.3, 1.4)
    comparison = compare(seconds, seconds)
    assert comparison.n == 5
    assert comparison.ratio.low is comparison.deviation is comparison.chance_effect is None
    assert comparison.floor is None


def test_a_comparison_equals_the_result_by_hand():
    comparison = compare_rounds(by_round(2, 2.2, 1.8, 2.4, 1.6, 1), by_round(1, 1, 1, 1, 1, 1.5))
    assert comparison.ratio.value == pytest.approx(math.sqrt(1.8 * 2))
    assert comparison.effect == pytest.approx(math.sqrt(1.8 * 2) - 1)
    assert comparison.agreement == 5 / 6
    # in the pairs of rounds the ratio changes by factors 2.2 / 2, 2.4 / 1.8 and 1.6 * 1.5
    assert comparison.floor == pytest.approx(0.1)


def test_equal_ratios_are_equal_at_any_size():
    comparison = compare_rounds(
        by_round(0.3, 3, 0.03, 2.1, 3.3, 0.1), by_round(0.1, 1, 0.01, 0.7, 1.1, 0.3)
    )
    plain = compare_rounds(by_round(3, 3, 3, 3, 3, 1), by_round(1, 1, 1, 1, 1, 3))
    assert comparison == plain


def test_the_effect_of_chance_equals_the_result_by_hand():
    logarithms = np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6])
    comparison = compare_rounds(dict(enumerate(np.exp(logarithms))), dict.fromkeys(range(6), 1.0))
    assert comparison.deviation == pytest.approx(0.187083, rel=1e-5)
    # t(0.975, 5) + t(0.9, 5)
    expected = (2.570582 + 1.475884) * 0.187083 / math.sqrt(6)
    assert comparison.chance_effect == pytest.approx(math.expm1(expected), rel=1e-5)


def test_the_floor_is_the_difference_between_even_and_odd_rounds():
    # the changes within pairs of rounds count, not those from pair to pair
    first, second = by_round(1.0, 1.1, 2.0, 2.2, 3.0, 3.3, 9.0), by_round(*[2.0] * 7)
    assert compare_rounds(first, second).floor == pytest.approx(0.1)
    assert compare_rounds(second, first).floor == pytest.approx(0.1)
    # a change that both cells share is no noise of their ratio
    assert compare_rounds(first, first).floor == 0.0


def test_the_floor_of_two_runs_is_the_difference_within_a_cell():
    noisy, even = by_round(1.0, 1.1, 1.0, 1.1, 1.0, 1.1), by_round(*[2.0] * 6)
    assert compare_samples(noisy, even).floor == pytest.approx(0.1)
    drifting = by_round(1.0, 1.0, 1.0, 1.3, 1.3, 1.3)
    assert compare_samples(even, drifting).floor == pytest.approx(0.3)


def test_cells_that_are_equal_pass_the_test_of_equivalence():
    ((first, second),) = runs(1, noise=0.002)
    (claim,) = judge_rounds([(first, second)])
    assert claim.p_value > 0.05
    assert claim.equivalence_p_value == 1 / 2**10


@pytest.mark.parametrize(("ratio", "shown"), [(1.0, True), (1.025, False), (0.96, False)])
def test_equivalence_is_shown_only_within_three_percent(ratio, shown):
    equal = [judge_rounds([run])[0].equivalence_p_value < 0.05 for run in runs(50, ratio)]
    assert np.mean(equal) > 0.9 if shown else np.mean(equal) < 0.35


def test_a_drift_of_the_machine_does_not_matter():
    ((first, second),) = runs(1, 0.9)
    drift = {turn: math.exp(0.02 * turn) for turn in first}
    calm = compare_rounds(first, second)
    drifted = compare_rounds(*({t: cell[t] * drift[t] for t in cell} for cell in (first, second)))
    assert drifted.floor == pytest.approx(calm.floor)
    assert drifted.ratio.value == pytest.approx(calm.ratio.value, rel=1e-9)
    assert drifted.chance_effect == pytest.approx(calm.chance_effect)


def test_two_runs_are_compared_without_pairing():
    ((first, second),) = runs(1, 0.8, shared=0.0, rounds=12)
    # the second run has more rounds, in reverse order
    comparison = compare_samples(
        by_round(*list(first.values())[:10]), by_round(*list(second.values())[::-1])
    )
    assert comparison.ratio.low < 0.8 < comparison.ratio.high
    assert comparison.ratio.high - comparison.ratio.low < 0.03
    assert (comparison.n, comparison.agreement) == (10, 1.0)


def test_the_interval_between_two_runs_covers_the_truth():
    intervals = [
        compare_samples(first, second).ratio
        for first, second in runs(100, 0.9, shared=0.0, noise=0.03)
    ]
    covered = [interval.low <= 0.9 <= interval.high for interval in intervals]
    assert 0.89 <= np.mean(covered) <= 0.99
