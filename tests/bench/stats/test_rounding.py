"""Numbers are shown with as many figures as their intervals justify."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.stats import decimals, format_number


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
def test_the_interval_determines_the_decimals(value, low, high, places):
    assert decimals(value, low, high) == places


@given(st.floats(1e-6, 1e9), st.floats(0, 10))
def test_a_number_has_one_to_three_figures(value, width):
    places = decimals(value, value * (1 - width), value * (1 + width))
    assert 0 <= places + np.floor(np.log10(value)) <= 2


def test_a_zero_has_no_minus():
    assert format_number(-0.0001, 2) == "0.00"
