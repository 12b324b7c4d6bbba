"""Comparisons by hand, and against runs whose truth is known."""

import math

import numpy as np
import pytest

from bench.stats import compare_rounds, compare_samples
from bench.stats.comparison import detectable
from tests.bench.stats.simulated import runs


def by_round(*seconds):
    return dict(enumerate(seconds))


def test_rounds_are_paired_by_their_number():
    found = compare_rounds({0: 1.0, 2: 3.0, 7: 4.0}, {7: 2.0, 2: 3.0, 9: 1.0})
    assert (found.ratio.value, found.n) == (pytest.approx(math.sqrt(2)), 2)
    assert compare_rounds({0: 1.0}, {1: 1.0}) is None
    assert compare_samples([], [1.0]) is None


@pytest.mark.parametrize("compare", [compare_rounds, compare_samples])
def test_under_six_rounds_nothing_is_tested(compare):
    seconds = [1.0, 1.1, 1.2, 1.3, 1.4]
    few = by_round(*seconds) if compare is compare_rounds else seconds
    found = compare(few, few)
    assert (found.ratio.low, found.p_value, found.equivalence_p_value) == (None, None, None)
    assert (found.minimum_detectable_effect, found.floor, found.n) == (None, None, 5)


def test_a_comparison_by_hand():
    found = compare_rounds(by_round(2, 2.2, 1.8, 2.4, 1.6, 1), by_round(1, 1, 1, 1, 1, 1.5))
    assert found.ratio.value == pytest.approx(math.sqrt(1.8 * 2))
    assert found.effect == pytest.approx(math.sqrt(1.8 * 2) - 1)
    assert found.agreement == 5 / 6
    # the one negative difference has the smallest rank; so few, or fewer, by chance: 2 / 64
    assert found.p_value == pytest.approx(4 / 64)
    # within the pairs of rounds the ratio changes by 2.2 / 2, by 2.4 / 1.8 and by 1.6 * 1.5
    assert found.floor == pytest.approx(0.1)


def test_equal_ratios_are_ties_whatever_their_size():
    found = compare_rounds(
        by_round(0.3, 3, 0.03, 2.1, 3.3, 0.1), by_round(0.1, 1, 0.01, 0.7, 1.1, 0.3)
    )
    plain = compare_rounds(by_round(3, 3, 3, 3, 3, 1), by_round(1, 1, 1, 1, 1, 3))
    assert found.p_value == plain.p_value


def test_the_smallest_effect_by_hand():
    logarithms = np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6])
    found = compare_rounds(dict(enumerate(np.exp(logarithms))), dict.fromkeys(range(6), 1.0))
    # t(0.975, 5) + t(0.9, 5), the standard deviation 0.187083, the efficiency 3 / pi
    expected = (2.570582 + 1.475884) * 0.187083 / math.sqrt(6 * 3 / math.pi)
    assert found.minimum_detectable_effect == pytest.approx(math.expm1(expected), rel=1e-5)


def test_the_smallest_effect_is_found_in_nine_runs_of_ten():
    smallest = detectable(2 * 0.05**2 / 10, 9)
    found = [compare_rounds(*run).p_value < 0.05 for run in runs(200, 1 + smallest, noise=0.05)]
    # the signed-rank test of 10 rounds can't use its 5 % to the full; two deviations are 4 points
    assert np.mean(found) == pytest.approx(0.89, abs=0.05)


def test_the_floor_is_what_differs_between_even_and_odd_rounds():
    # within the pairs of rounds, not from one pair to the next
    first, second = by_round(1.0, 1.1, 2.0, 2.2, 3.0, 3.3, 9.0), by_round(*[2.0] * 7)
    assert compare_rounds(first, second).floor == pytest.approx(0.1)
    assert compare_rounds(second, first).floor == pytest.approx(0.1)
    # what both cells share is no noise of their ratio
    assert compare_rounds(first, first).floor == 0.0


def test_two_runs_share_no_rounds_and_a_cell_differs_from_itself():
    noisy, even = [1.0, 1.1, 1.0, 1.1, 1.0, 1.1], [2.0] * 6
    assert compare_samples(noisy, even).floor == pytest.approx(0.1)
    drifting = [1.0, 1.0, 1.0, 1.3, 1.3, 1.3]
    assert compare_samples(even, drifting).floor == pytest.approx(0.3)


def test_equal_cells_are_shown_to_be_equal():
    ((first, second),) = runs(1, noise=0.002)
    found = compare_rounds(first, second)
    assert found.p_value > 0.05
    assert found.equivalence_p_value == 2 / 2**11


@pytest.mark.parametrize(("ratio", "shown"), [(1.0, True), (1.025, False), (0.96, False)])
def test_equality_is_shown_only_within_three_percent(ratio, shown):
    equal = [compare_rounds(*run).equivalence_p_value < 0.05 for run in runs(50, ratio)]
    assert np.mean(equal) > 0.9 if shown else np.mean(equal) < 0.35


def test_a_drift_of_the_machine_does_not_matter():
    ((first, second),) = runs(1, 0.9)
    drift = {turn: math.exp(0.02 * turn) for turn in first}
    calm = compare_rounds(first, second)
    drifted = compare_rounds(*({t: cell[t] * drift[t] for t in cell} for cell in (first, second)))
    assert drifted.p_value == calm.p_value
    assert drifted.floor == pytest.approx(calm.floor)
    assert drifted.ratio.value == pytest.approx(calm.ratio.value, rel=1e-9)
    assert drifted.minimum_detectable_effect == pytest.approx(calm.minimum_detectable_effect)


def test_two_runs_are_compared_without_pairing():
    ((first, second),) = runs(1, 0.8, shared=0.0, rounds=12)
    # the second run was longer, and in another order
    found = compare_samples(list(first.values())[:10], list(second.values())[::-1])
    assert found.ratio.low < 0.8 < found.ratio.high
    assert found.ratio.high - found.ratio.low < 0.03
    assert (found.n, found.agreement) == (10, 1.0)
    assert found.p_value == pytest.approx(2 / math.comb(22, 10))
    assert found.equivalence_p_value == 1.0


def test_the_interval_between_two_runs_covers_the_truth():
    found = [
        compare_samples(list(first.values()), list(second.values())).ratio
        for first, second in runs(100, 0.9, shared=0.0, noise=0.03)
    ]
    assert 0.89 <= np.mean([one.low <= 0.9 <= one.high for one in found]) <= 0.99
