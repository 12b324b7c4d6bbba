"""Rank tests agree with textbook examples, and have answers if SciPy has none."""

from itertools import product

import numpy as np
import pytest

from bench.stats import rank_sum, signed_rank
from bench.stats.comparison import shift_interval

# Hollander and Wolfe (1973), which R's `wilcox.test` quotes: depression before and after a
# therapy (p. 29), and the permeability of membranes at term and at 12 to 26 weeks (p. 69)
BEFORE = np.array([1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30])
AFTER = np.array([0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29])
TERM = np.array([0.80, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46])
EARLY = np.array([1.15, 0.88, 0.90, 0.74, 1.21])


def test_the_signed_rank_test_agrees_with_the_textbook():
    assert signed_rank(BEFORE - AFTER, "greater") == pytest.approx(0.01953, abs=5e-6)
    assert signed_rank(BEFORE - AFTER, "two-sided") == pytest.approx(0.03906, abs=5e-6)


def test_the_rank_sum_test_agrees_with_the_textbook():
    assert rank_sum(TERM, EARLY, "greater") == pytest.approx(0.1272, abs=5e-5)
    interval = shift_interval(np.subtract.outer(TERM, EARLY).ravel(), len(TERM), len(EARLY))
    assert interval == pytest.approx((-0.15, 0.76))


def test_the_signed_rank_test_agrees_with_all_signs():
    values = np.array([0.3, -0.1, 0.4, 0.7, -0.2, 0.9])
    ranks = np.argsort(np.argsort(np.abs(values))) + 1
    sums = np.array([np.dot(ranks, signs) for signs in product((0, 1), repeat=len(values))])
    low = np.mean(sums <= np.dot(ranks, values > 0))
    high = np.mean(sums >= np.dot(ranks, values > 0))
    assert signed_rank(values, "less") == pytest.approx(low)
    assert signed_rank(values, "greater") == pytest.approx(high)
    assert signed_rank(values, "two-sided") == pytest.approx(2 * min(low, high))


def test_rank_tests_accept_ties_and_zeros():
    tied = np.array([0.1, 0.1, 0.1, 0.1, 0.1, 0.1, -0.1, 0.0])
    assert 0.01 < signed_rank(tied, "greater") < 0.05
    assert signed_rank(tied, "less") > 0.95
    assert rank_sum(np.array([1.0, 1.0, 2.0]), np.array([2.0, 3.0, 3.0]), "less") < 0.1


@pytest.mark.parametrize("alternative", ["two-sided", "less", "greater"])
def test_values_without_a_difference_have_the_p_value_one(alternative):
    assert signed_rank(np.zeros(6), alternative) == 1.0
    assert rank_sum(np.ones(6), np.ones(6), alternative) == 1.0
