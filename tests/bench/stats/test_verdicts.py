"""Verdicts on runs with planted effects are right, and each rule works by itself."""

import math
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.stats import Comparison, Estimate, Verdict, compare_rounds, holm, judge
from tests.bench.stats.simulated import runs

SURE = Comparison(
    ratio=Estimate(value=0.8, low=0.79, high=0.81, n=10),
    agreement=1.0,
    p_value=0.002,
    equivalence_p_value=1.0,
    minimum_detectable_effect=0.02,
    floor=0.01,
)
EQUAL = replace(
    SURE,
    ratio=Estimate(value=0.99, low=0.98, high=1.01, n=10),
    agreement=0.6,
    p_value=0.4,
    equivalence_p_value=0.001,
)
MIRROR = {
    Verdict.FASTER: Verdict.SLOWER,
    Verdict.SLOWER: Verdict.FASTER,
    Verdict.SAME: Verdict.SAME,
    Verdict.AMBIGUOUS: Verdict.AMBIGUOUS,
}
P_VALUES = st.lists(st.floats(0, 1), max_size=12)
SECONDS = st.floats(1e-4, 1e2)


def verdicts(several):
    return verdicts_of([compare_rounds(*run) for run in several])


def verdicts_of(comparisons):
    return [claim.verdict for claim in judge(comparisons)]


def verdict(first, second):
    return verdicts([(first, second)])[0]


def test_identical_cells_are_called_different_in_at_most_one_run_of_a_hundred():
    # with this noise an effect of 3 % is often due to chance; every run is judged by itself
    received = [verdict(*run) for run in runs(300, noise=0.05)]
    assert received.count(Verdict.FASTER) + received.count(Verdict.SLOWER) <= 3


@pytest.mark.parametrize(
    ("ratio", "expected"),
    [(0.9, Verdict.FASTER), (1.1, Verdict.SLOWER), (1.0, Verdict.SAME)],
)
def test_planted_effects_have_their_verdicts(ratio, expected):
    # ten claims together, as in a report
    assert verdicts(runs(10, ratio)).count(expected) >= 9


def test_a_planted_effect_under_three_percent_is_no_difference():
    assert set(verdicts(runs(10, 0.985, noise=0.002))) == {Verdict.SAME}


def test_a_drift_of_the_machine_changes_no_verdict():
    for first, second in runs(5, 0.9):
        drift = {turn: math.exp(0.02 * turn) for turn in first}
        drifted = [{t: cell[t] * drift[t] for t in cell} for cell in (first, second)]
        assert verdict(*drifted) == verdict(first, second) == Verdict.FASTER


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"ratio": Estimate(value=0.8, low=0.7, high=1.01, n=10)}, "the interval holds 1"),
        ({"p_value": 0.06}, "10 rounds are too few to judge 1 claims"),
        ({"p_value": 0.06, "agreement": 0.9}, "adjusted p 0.06"),
        ({"agreement": 0.7}, "only 70 % agree"),
        (
            {"ratio": Estimate(value=0.98, low=0.97, high=0.99, n=10)},
            "2 % is under the 3 % that counts",
        ),
        (
            {"minimum_detectable_effect": 0.3},
            "25 % is under the smallest effect that could be found, 30 %",
        ),
        ({"floor": 0.13}, "25 % is under twice the noise between equal trials, 26 %"),
    ],
)
def test_a_difference_needs_every_rule(change, reason):
    assert judge([SURE])[0].verdict == Verdict.FASTER
    (claim,) = judge([replace(SURE, **change)])
    assert claim.verdict == Verdict.AMBIGUOUS
    assert claim.reason.replace("\u00a0", " ") == reason


def test_equality_is_a_verdict_only_if_it_was_shown():
    assert judge([EQUAL])[0].verdict == Verdict.SAME
    assert judge([replace(EQUAL, equivalence_p_value=0.06)])[0].verdict == Verdict.AMBIGUOUS
    far = replace(EQUAL, ratio=Estimate(value=0.96, low=0.95, high=1.01, n=10))
    assert judge([far])[0].verdict == Verdict.AMBIGUOUS


def test_a_hundred_claims_need_more_rounds_than_twenty():
    assert set(verdicts_of([SURE] * 20)) == {Verdict.FASTER}
    many = judge([SURE] * 100)
    assert {claim.verdict for claim in many} == {Verdict.AMBIGUOUS}
    assert many[0].reason == "10 rounds are too few to judge 100 claims"
    assert set(verdicts_of([EQUAL] * 100)) == {Verdict.AMBIGUOUS}


def test_a_claim_that_was_not_tested_is_ambiguous_and_does_not_affect_the_others():
    few = compare_rounds(dict.fromkeys(range(5), 1.0), dict.fromkeys(range(5), 9.0))
    *untested, sure = judge([None, few, SURE])
    assert [(claim.verdict, claim.reason) for claim in untested] == [
        (Verdict.AMBIGUOUS, "no round with both"),
        (Verdict.AMBIGUOUS, "fewer than 6 rounds"),
    ]
    assert (sure.verdict, sure.p_value) == (Verdict.FASTER, SURE.p_value)


def test_without_claims_there_are_no_verdicts():
    assert judge([]) == []


def test_holm_equals_the_result_by_hand():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


@settings(max_examples=15, deadline=None)
@given(P_VALUES)
def test_holm_keeps_the_order_and_never_lowers_a_p_value(p_values):
    pairs = list(zip(p_values, holm(p_values), strict=True))
    assert all(raw <= adjusted <= 1 for raw, adjusted in pairs)
    by_size = [adjusted for _, adjusted in sorted(pairs)]
    assert all(low <= high for low, high in pairwise(by_size))


PAIRS = st.lists(st.tuples(SECONDS, SECONDS), min_size=1, max_size=12)
CLOSE = st.floats(0.5, 2.0)


@settings(max_examples=15, deadline=None)
@given(PAIRS | st.lists(st.tuples(CLOSE, st.floats(2.2, 2.4)), min_size=6, max_size=12))
def test_swapping_the_cells_mirrors_the_verdict(pairs):
    first, second = (dict(enumerate(cell)) for cell in zip(*pairs, strict=True))
    plain, swapped = compare_rounds(first, second), compare_rounds(second, first)
    assert plain.p_value == pytest.approx(swapped.p_value)
    assert plain.effect == pytest.approx(swapped.effect)
    assert verdict(second, first) == MIRROR[verdict(first, second)]


@settings(max_examples=15, deadline=None)
@given(PAIRS, st.floats(1e-3, 1e3))
def test_the_unit_of_time_changes_nothing(pairs, scale):
    first, second = (dict(enumerate(cell)) for cell in zip(*pairs, strict=True))
    scaled = [{turn: scale * cell[turn] for turn in cell} for cell in (first, second)]
    plain, other = compare_rounds(first, second), compare_rounds(*scaled)
    assert other.p_value == pytest.approx(plain.p_value)
    assert other.ratio.value == pytest.approx(plain.ratio.value)
    assert verdict(*scaled) == verdict(first, second)
