"""Sign flips by hand, and their error rate in runs whose truth is known."""

import math

import numpy as np
import pytest

from bench.stats.sign_flips import (
    MOST_EXACT_ROUNDS,
    as_array,
    difference_p_values,
    equivalence_p_values,
    flips,
)
from bench.stats.step_down import DRAWS


def draw(claims, rounds, effect=0.0, noise=0.02, seed=1):
    """Return log ratios of claims that share the noise of one cell."""
    normal = np.random.default_rng(seed).normal(0, noise, (claims + 1, rounds))
    return effect + normal[1:] - normal[0]


def test_a_claim_by_hand():
    ratios = np.array([[0.1, 0.2, 0.3, 0.4, 0.5, -0.1]])
    # of the 32 flips that leave the first sign, these have a mean at least as far from zero: no
    # flip, the flip of the negative round, and the flip of it with the first (its opposite)
    expected = np.mean([abs(signs @ ratios[0]) >= 1.4 - 1e-9 for signs in flips(6)])
    assert difference_p_values(ratios) == [expected] == [3 / 32]


def test_rounds_that_all_agree_have_the_smallest_p_value():
    ratios = np.array([[0.1, 0.11, 0.12, 0.13, 0.14, 0.15]])
    assert difference_p_values(ratios) == [1 / 32]
    assert difference_p_values(-ratios) == [1 / 32]


def test_no_difference_at_all_has_p_value_1():
    assert difference_p_values(np.zeros((2, 6))) == [1.0, 1.0]


def test_an_equal_ratio_in_all_rounds_is_a_difference():
    assert difference_p_values(np.full((1, 6), 0.2)) == [1 / 32]


def test_nothing_to_test():
    empty = as_array([])
    assert difference_p_values(empty) == equivalence_p_values(empty, 0.03) == []


def test_all_flips_up_to_thirteen_rounds_and_drawn_ones_beyond():
    for rounds in (6, MOST_EXACT_ROUNDS):
        signs = flips(rounds)
        assert signs.shape == (2 ** (rounds - 1), rounds)
        assert len(np.unique(signs, axis=0)) == len(signs)
    drawn = flips(MOST_EXACT_ROUNDS + 1)
    assert drawn.shape == (DRAWS, MOST_EXACT_ROUNDS + 1)
    assert np.array_equal(drawn, flips(MOST_EXACT_ROUNDS + 1))
    assert np.all(drawn[0] == 1)


def test_adjusted_p_values_are_not_below_those_of_a_claim_alone():
    ratios = draw(10, 10)
    together = difference_p_values(ratios)
    alone = [difference_p_values(ratios[[claim]])[0] for claim in range(10)]
    assert all(adjusted >= own for adjusted, own in zip(together, alone, strict=True))
    # but for those that are last to be rejected
    assert max(together) == pytest.approx(max(alone), abs=0.2)


def test_a_hundred_claims_with_ten_rounds_are_found():
    """Holm's method over signed-rank tests could find none: 100 * 2 / 2^10 is over 5 %."""
    ratios = np.concatenate([draw(50, 10), draw(50, 10, effect=math.log(1.1), seed=2)])
    p_values = np.array(difference_p_values(ratios))
    assert np.mean(p_values[50:] < 0.05) > 0.9


def test_false_differences_are_rare_among_many_claims():
    false = [min(difference_p_values(draw(30, 8, seed=seed))) < 0.05 for seed in range(300)]
    # two standard errors above 5 %
    assert np.mean(false) < 0.076


def test_claims_may_lack_rounds():
    ratios = draw(4, 10, effect=0.1)
    ratios[0, :3] = np.nan
    p_values = difference_p_values(ratios)
    assert max(p_values) < 0.05
    # a claim with few rounds does not take the power of the others
    lone = np.full((1, 10), np.nan)
    lone[0, :6] = draw(1, 6, seed=3)
    assert max(difference_p_values(np.concatenate([ratios, lone]))[:4]) < 0.05


def test_equality_needs_both_sides():
    reach = math.log1p(0.03)
    assert equivalence_p_values(draw(1, 10, noise=0.005), reach)[0] < 0.01
    assert equivalence_p_values(draw(1, 10, effect=0.03, noise=0.005), reach)[0] > 0.05
    assert equivalence_p_values(draw(1, 10, effect=-0.2, noise=0.005), reach)[0] == 1.0


def test_false_equalities_are_rare_at_the_margin():
    reach = math.log1p(0.03)
    false = [
        min(equivalence_p_values(draw(10, 8, effect=reach, seed=seed), reach)) < 0.05
        for seed in range(300)
    ]
    assert np.mean(false) < 0.076


def test_an_array_has_nan_for_a_lacking_round():
    ratios = as_array([{0: 0.1, 2: 0.3}, {1: 0.2}])
    np.testing.assert_array_equal(ratios, [[0.1, np.nan, 0.3], [np.nan, 0.2, np.nan]])
