"""Estimates agree with closed forms and with known distributions."""

import numpy as np
import pytest

from bench.stats import (
    SMALLEST_SAMPLE,
    cell_value,
    median_interval,
    prediction_interval,
    samples_per_second,
)


def test_a_cell_value_is_the_median_of_the_trials():
    value = cell_value([5.0, 1.0, 2.0, 100.0])
    assert (value.value, value.n, value.low, value.high) == (3.5, 4, None, None)


def test_no_trials_have_no_value():
    assert cell_value([]) is None


def test_an_interval_needs_six_trials():
    values = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
    assert median_interval(values[: SMALLEST_SAMPLE - 1]) is None
    assert median_interval(values) is not None


@pytest.mark.parametrize(
    ("n", "low"),
    [
        # the outer pair covers 62/64, the next 50/64: a tenth of the way in coverage is
        # 5 * 0.1 / (1 + 4 * 0.1) of the way between the values
        (6, 1 + 0.5 / 1.4),
        # the second pair covers 1002/1024, the third 912/1024
        (10, 2 + 8 * (29.2 / 90) / (2 + 6 * (29.2 / 90))),
    ],
)
def test_an_interval_equals_the_result_by_hand(n, low):
    values = [float(value) for value in range(n, 0, -1)]
    assert median_interval(values) == pytest.approx((low, n + 1 - low), rel=1e-12)


def test_equal_values_have_an_interval_of_no_width():
    assert median_interval([2.0] * 10) == (2.0, 2.0)


@pytest.mark.parametrize("n", [10, 20])
@pytest.mark.parametrize("noise", ["normal", "lognormal"])
def test_the_interval_covers_the_true_median_as_often_as_it_says(n, noise):
    cells = getattr(np.random.default_rng(11), noise)(size=(1_000, n))
    truth = 0.0 if noise == "normal" else 1.0
    intervals = [median_interval(cell.tolist()) for cell in cells]
    assert 0.93 <= np.mean([low <= truth <= high for low, high in intervals]) <= 0.98


def test_a_prediction_interval_contains_the_next_draw():
    draw = np.random.default_rng(12)
    contained = []
    for _ in range(1_000):
        *values, further = draw.normal(0.98, 0.002, 6)
        low, high = prediction_interval(values)
        contained.append(low <= further <= high)
    assert np.mean(contained) == pytest.approx(0.95, abs=0.021)


def test_a_prediction_interval_equals_the_result_by_hand():
    # t(0.975, df=2) = 4.30265, mean 2, standard deviation 1, sqrt(1 + 1/3)
    low, high = prediction_interval([1.0, 2.0, 3.0])
    assert (low, high) == pytest.approx((2 - 4.30265 * 1.154701, 2 + 4.30265 * 1.154701), abs=1e-4)
    assert prediction_interval([1.0]) is None


def test_throughput_is_over_totals_and_not_a_mean_of_rates():
    assert samples_per_second([100, 100], [1.0, 3.0]) == 50.0


@pytest.mark.parametrize(("samples", "seconds"), [([], []), ([1], [1.0, 2.0])])
def test_throughput_refuses_samples_and_seconds_that_do_not_match(samples, seconds):
    with pytest.raises(ValueError, match="Expected"):
        samples_per_second(samples, seconds)
