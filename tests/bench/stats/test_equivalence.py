"""Verdicts on accuracies over seeds, against scipy and on draws whose truth is known."""

import numpy as np
import pytest
from scipy import stats

from bench.stats import FEWEST_SEEDS, AccuracyVerdict, compare_means, judge_means
from bench.stats.equivalence import MARGIN, margin_of

SPREAD = 0.002


def draws(count, *, apart, seeds=FEWEST_SEEDS, spread=SPREAD):
    """Accuracies of two backends whose true means lie `apart`."""
    draw = np.random.default_rng(11)
    for _ in range(count):
        yield (
            draw.normal(0.981 + apart, spread, seeds).tolist(),
            draw.normal(0.981, 1.5 * spread, seeds).tolist(),
        )


def verdict(first, second):
    return judge_means([compare_means(first, second)])[0].verdict


def test_p_values_and_interval_are_those_of_welch():
    first, second = next(draws(1, apart=0.001))
    found = compare_means(first, second)
    known = stats.ttest_ind(first, second, equal_var=False)
    assert found.difference == pytest.approx(np.mean(first) - np.mean(second), abs=1e-15)
    assert found.p_value == pytest.approx(known.pvalue, rel=1e-9)
    low, high = known.confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((low, high), rel=1e-9)


def test_equivalence_is_the_larger_of_two_one_sided_tests():
    first, second = next(draws(1, apart=0.001))
    found = compare_means(first, second)
    shifted = np.array(first)
    sides = [
        stats.ttest_ind(shifted - MARGIN, second, equal_var=False, alternative="less").pvalue,
        stats.ttest_ind(shifted + MARGIN, second, equal_var=False, alternative="greater").pvalue,
    ]
    assert found.equivalence_p_value == pytest.approx(max(sides), rel=1e-9)


def test_backends_a_margin_apart_pass_as_equivalent_in_one_of_twenty_at_most():
    found = [verdict(*pair) for pair in draws(1_000, apart=MARGIN)]
    assert found.count(AccuracyVerdict.EQUIVALENT) <= 65


def test_equal_backends_are_called_different_in_one_of_twenty_at_most():
    # so noisy that nothing passes as equivalent instead
    found = [verdict(*pair) for pair in draws(1_000, apart=0.0, spread=0.02)]
    assert found.count(AccuracyVerdict.DIFFERENT) <= 65


def test_equal_and_distant_backends_are_told():
    same = [verdict(*pair) for pair in draws(100, apart=0.0, spread=0.001)]
    other = [verdict(*pair) for pair in draws(100, apart=0.006)]
    assert same.count(AccuracyVerdict.EQUIVALENT) >= 95
    assert other.count(AccuracyVerdict.DIFFERENT) >= 95


@pytest.mark.parametrize("seeds", [1, 3, FEWEST_SEEDS - 1])
def test_few_seeds_make_no_verdict_however_far_apart(seeds):
    (claim,) = judge_means([compare_means([0.5] * seeds, [0.98] * seeds)])
    assert claim.verdict is AccuracyVerdict.INCONCLUSIVE
    assert claim.reason == f"{seeds} of the 10 seeds that a verdict needs"
    assert claim.comparison.margin is None


def test_seeds_that_agree_to_the_last_image_leave_nothing_to_chance():
    equal, apart = [0.98] * 10, [0.97] * 10
    assert verdict(equal, equal) is AccuracyVerdict.EQUIVALENT
    assert verdict(equal, apart) is AccuracyVerdict.DIFFERENT


def test_the_verdict_does_not_depend_on_the_order_of_the_two():
    for first, second in draws(50, apart=0.002):
        assert verdict(first, second) is verdict(second, first)


def test_the_margin_is_tighter_with_many_seeds_but_not_than_their_spread():
    assert margin_of([0.98] * 10, [0.98] * 19) == MARGIN
    assert margin_of([0.98] * 20, [0.98] * 20) == 0.0020
    wide = [0.97, 0.99] * 10
    assert margin_of(wide, wide) == pytest.approx(1.5 * np.std(wide, ddof=1))


def test_more_claims_make_each_harder():
    pair = next(draws(1, apart=0.0, spread=0.0022))
    comparison = compare_means(*pair)
    (alone,) = judge_means([comparison])
    among = judge_means([comparison] * 20)[0]
    assert among.equivalence_p_value == pytest.approx(min(1, 20 * alone.equivalence_p_value))


def test_no_seed_is_a_mistake():
    with pytest.raises(ValueError, match="Expected: 1 or more"):
        compare_means([], [0.98])
