"""Permutations of two runs by hand, and their error rate."""

import numpy as np

from bench.stats.permutations import difference_p_values, permutations, pool
from bench.stats.step_down import DRAWS

SEVERAL = [({0: 1.0, 3: np.e}, {1: np.e**2}), ({0: 1.0}, {1: 1.0, 2: np.e})]


def run(draw, effect=0.0, cells=5, rounds=10):
    """Return seconds per round of cells that share the noise of the round."""
    machine = draw.normal(0, 0.02, rounds)
    logarithms = effect + machine + draw.normal(0, 0.01, (cells, rounds))
    return [dict(enumerate(np.exp(row).tolist())) for row in logarithms]


def test_an_effect_is_found_in_every_cell():
    draw = np.random.default_rng(1)
    claims = list(zip(run(draw, 0.2), run(draw), strict=True))
    assert difference_p_values([claims]) == [1 / DRAWS] * 5


def test_equal_runs_are_rarely_called_different():
    draw = np.random.default_rng(2)
    false = [
        min(difference_p_values([list(zip(run(draw), run(draw), strict=True))])) < 0.05
        for _ in range(100)
    ]
    assert np.mean(false) < 0.1


def test_the_claims_of_all_runs_are_one_family():
    draw = np.random.default_rng(3)
    first = run(draw)
    runs = [list(zip(run(draw, effect), first, strict=True)) for effect in (0.0, 0.2)]
    p_values = difference_p_values(runs)
    assert len(p_values) == 10
    assert max(p_values[5:]) < 0.05 < min(p_values[:5])
    alone = difference_p_values(runs[:1])
    assert all(both >= one for both, one in zip(p_values, alone, strict=False))


def test_nothing_to_test():
    assert difference_p_values([]) == []


def test_rounds_of_two_runs_are_put_beside_each_other():
    values, first = pool(SEVERAL)
    # the faster run comes first, whichever it is
    assert first == 2
    np.testing.assert_allclose(values, [[0, 1, 2, np.nan], [0, np.nan, 0, 1]])
    swapped = [(second, first) for first, second in SEVERAL]
    np.testing.assert_array_equal(pool(swapped)[0], values)


def test_every_permutation_has_as_many_rounds_of_the_first_run():
    chosen = permutations(9, 4)
    assert chosen.shape == (DRAWS, 9)
    assert np.all(chosen.sum(axis=1) == 4)
    np.testing.assert_array_equal(chosen[0], [1] * 4 + [0] * 5)


def test_swapped_runs_have_the_same_p_values():
    draw = np.random.default_rng(4)
    first, second = run(draw, 0.02), run(draw, rounds=8)
    there = difference_p_values([list(zip(first, second, strict=True))])
    assert there == difference_p_values([list(zip(second, first, strict=True))])
