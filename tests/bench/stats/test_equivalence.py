"""Verdicts on accuracies over seeds agree with SciPy and with draws of a known difference."""

import numpy as np
import pytest
from scipy import stats

from bench.stats import FEWEST_SEEDS, AccuracyVerdict, compare_means, judge_means
from bench.stats.equivalence import MARGIN, margin_of

SPREAD = 0.002


def draws(count, *, apart, seeds=FEWEST_SEEDS, spread=SPREAD):
    """Yield the accuracies of two backends with true means that differ by `apart`."""
    draw = np.random.default_rng(11)
    for _ in range(count):
        yield (
            draw.normal(0.981 + apart, spread, seeds).tolist(),
            draw.normal(0.981, 1.5 * spread, seeds).tolist(),
        )


def verdict(first, second):
    return judge_means([compare_means(first, second)])[0].verdict


def test_p_value_and_interval_are_welchs():
    first, second = next(draws(1, apart=0.001))
    comparison = compare_means(first, second)
    expected = stats.ttest_ind(first, second, equal_var=False)
    assert comparison.difference == pytest.approx(np.mean(first) - np.mean(second), abs=1e-15)
    assert comparison.p_value == pytest.approx(expected.pvalue, rel=1e-9)
    low, high = expected.confidence_interval(0.95)
    assert (comparison.low, comparison.high) == pytest.approx((low, high), rel=1e-9)


def test_equivalence_is_the_larger_of_two_one_sided_tests():
    first, second = next(draws(1, apart=0.001))
    comparison = compare_means(first, second)
    shifted = np.array(first)
    sides = [
        stats.ttest_ind(shifted - MARGIN, second, equal_var=False, alternative="less").pvalue,
        stats.ttest_ind(shifted + MARGIN, second, equal_var=False, alternative="greater").pvalue,
    ]
    assert comparison.equivalence_p_value == pytest.approx(max(sides), rel=1e-9)


def test_backends_a_margin_apart_pass_as_equivalent_in_one_of_twenty_at_most():
    verdicts = [verdict(*pair) for pair in draws(1_000, apart=MARGIN)]
    assert verdicts.count(AccuracyVerdict.EQUIVALENT) <= 65


def test_equal_backends_are_called_different_in_one_of_twenty_at_most():
    # the noise is too large for the verdict EQUIVALENT
    verdicts = [verdict(*pair) for pair in draws(1_000, apart=0.0, spread=0.02)]
    assert verdicts.count(AccuracyVerdict.DIFFERENT) <= 65


def test_equal_and_distant_backends_have_the_right_verdicts():
    same = [verdict(*pair) for pair in draws(100, apart=0.0, spread=0.001)]
    other = [verdict(*pair) for pair in draws(100, apart=0.006)]
    assert same.count(AccuracyVerdict.EQUIVALENT) >= 95
    assert other.count(AccuracyVerdict.DIFFERENT) >= 95


@pytest.mark.parametrize("seeds", [1, 3, FEWEST_SEEDS - 1])
def test_few_seeds_have_no_verdict_at_any_difference(seeds):
    (claim,) = judge_means([compare_means([0.5] * seeds, [0.98] * seeds)])
    assert claim.verdict is AccuracyVerdict.INCONCLUSIVE
    assert claim.reason == f"{seeds} of the 10 seeds that a verdict needs"
    assert claim.comparison.margin is None


def test_seeds_with_equal_accuracies_have_a_clear_verdict():
    equal, apart = [0.98] * 10, [0.97] * 10
    assert verdict(equal, equal) is AccuracyVerdict.EQUIVALENT
    assert verdict(equal, apart) is AccuracyVerdict.DIFFERENT


def test_the_verdict_does_not_depend_on_the_order_of_the_two():
    for first, second in draws(50, apart=0.002):
        assert verdict(first, second) is verdict(second, first)


def test_the_margin_is_smaller_with_many_seeds_but_not_smaller_than_their_spread():
    assert margin_of([0.98] * 10, [0.98] * 19) == MARGIN
    assert margin_of([0.98] * 20, [0.98] * 20) == 0.0020
    wide = [0.97, 0.99] * 10
    assert margin_of(wide, wide) == pytest.approx(1.5 * np.std(wide, ddof=1))


def test_more_claims_make_each_claim_harder():
    pair = next(draws(1, apart=0.0, spread=0.0022))
    comparison = compare_means(*pair)
    (alone,) = judge_means([comparison])
    adjusted = judge_means([comparison] * 20)[0]
    assert adjusted.equivalence_p_value == pytest.approx(min(1, 20 * alone.equivalence_p_value))


def test_a_comparison_without_seeds_is_refused():
    with pytest.raises(ValueError, match="Expected: 1 or more"):
        compare_means([], [0.98])
