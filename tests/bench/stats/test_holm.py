"""Holm's method by hand, and what holds of any p values."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.stats.holm import adjust, holm

P_VALUES = st.lists(st.floats(0, 1), max_size=12)


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


def test_no_claim_stays_no_claim_and_costs_nothing():
    assert adjust([None, 0.01, None]) == [None, 0.01, None]


@settings(max_examples=15, deadline=None)
@given(P_VALUES)
def test_holm_keeps_the_order_and_never_lowers_a_p_value(p_values):
    adjusted = holm(p_values)
    assert all(raw <= value <= 1 for raw, value in zip(p_values, adjusted, strict=True))
    by_size = [value for _, value in sorted(zip(p_values, adjusted, strict=True))]
    assert all(low <= high for low, high in pairwise(by_size))
