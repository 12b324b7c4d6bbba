"""Statistics against closed forms and against known distributions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.stats import (
    SMALLEST_SAMPLE,
    cell_value,
    decimals,
    median_interval,
    prediction_interval,
    samples_per_second,
    shown,
)


def test_a_cell_value_is_the_median_of_the_trials():
    value = cell_value([5.0, 1.0, 2.0, 100.0])
    assert (value.value, value.n, value.low, value.high) == (3.5, 4, None, None)


def test_no_trials_have_no_value():
    assert cell_value([]) is None


def test_an_interval_needs_six_trials():
    values = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
    assert median_interval(values[: SMALLEST_SAMPLE - 1]) is None
    low, high = median_interval(values)
    assert 1.0 <= low <= 3.5 <= high <= 6.0


def test_the_interval_is_the_same_every_time():
    values = list(np.random.default_rng(1).normal(3, 0.1, 10))
    assert median_interval(values) == median_interval(values)


def test_equal_values_have_an_interval_of_no_width():
    assert median_interval([2.0] * 10) == (2.0, 2.0)


def test_the_interval_covers_the_true_median_as_often_as_it_says(monkeypatch):
    monkeypatch.setattr("bench.stats.RESAMPLES", 999)
    draw = np.random.default_rng(11)
    intervals = [median_interval(list(draw.normal(0, 1, 10))) for _ in range(400)]
    covered = np.mean([low <= 0 <= high for low, high in intervals])
    # 94 % as the docstring says; of 400 draws, three standard deviations are 3.6 points
    assert covered == pytest.approx(0.938, abs=0.036)


def test_a_prediction_interval_holds_one_further_draw():
    draw = np.random.default_rng(12)
    held = []
    for _ in range(1_000):
        *seen, further = draw.normal(0.98, 0.002, 6)
        low, high = prediction_interval(seen)
        held.append(low <= further <= high)
    assert np.mean(held) == pytest.approx(0.95, abs=0.021)


def test_a_prediction_interval_by_hand():
    # t(0.975, df=2) = 4.30265, mean 2, standard deviation 1, sqrt(1 + 1/3)
    low, high = prediction_interval([1.0, 2.0, 3.0])
    assert (low, high) == pytest.approx((2 - 4.30265 * 1.154701, 2 + 4.30265 * 1.154701), abs=1e-4)
    assert prediction_interval([1.0]) is None


def test_throughput_is_over_totals_and_not_a_mean_of_rates():
    assert samples_per_second([100, 100], [1.0, 3.0]) == 50.0


@pytest.mark.parametrize(("samples", "seconds"), [([], []), ([1], [1.0, 2.0])])
def test_throughput_refuses_what_does_not_pair(samples, seconds):
    with pytest.raises(ValueError, match="Expected"):
        samples_per_second(samples, seconds)


@pytest.mark.parametrize(
    ("value", "low", "high", "places"),
    [
        (3.3071, None, None, 2),
        (3.3071, 3.2, 3.4, 2),
        (3.3071, 2.0, 5.0, 1),
        (3.3071, 0.0, 90.0, 0),
        (12_345.0, None, None, -2),
        (0.0, None, None, 2),
        (2.0, 2.0, 2.0, 2),
    ],
)
def test_decimals(value, low, high, places):
    assert decimals(value, low, high) == places


@given(st.floats(1e-6, 1e9), st.floats(0, 10))
def test_at_most_three_and_at_least_one_figure(value, width):
    places = decimals(value, value * (1 - width), value * (1 + width))
    assert 0 <= places + np.floor(np.log10(value)) <= 2


def test_no_minus_before_a_zero():
    assert shown(-0.0001, 2) == "0.00"
