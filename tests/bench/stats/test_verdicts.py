"""Verdicts on runs with planted effects are right, and each rule works by itself."""

import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.stats import Comparison, Estimate, Verdict, compare_rounds, judge_rounds, judge_runs
from bench.stats.verdicts import OF_ROUNDS, claim_of_rounds, decide
from tests.bench.stats.simulated import runs

SURE = Comparison(
    ratio=Estimate(value=0.8, low=0.79, high=0.81, n=10),
    agreement=1.0,
    deviation=0.02,
    chance_effect=0.02,
    floor=0.01,
)
EQUAL = replace(SURE, ratio=Estimate(value=0.99, low=0.98, high=1.01, n=10), agreement=0.6)
MIRROR = {
    Verdict.FASTER: Verdict.SLOWER,
    Verdict.SLOWER: Verdict.FASTER,
    Verdict.SAME: Verdict.SAME,
    Verdict.UNCLEAR: Verdict.UNCLEAR,
    Verdict.UNDECIDED: Verdict.UNDECIDED,
}
SECONDS = st.floats(1e-4, 1e2)


def verdicts(pairs):
    return [claim.verdict for claim in judge_rounds(list(pairs))]


def verdict(first, second):
    return verdicts([(first, second)])[0]


def test_identical_cells_are_called_different_in_at_most_one_run_of_a_hundred():
    # with this noise an effect of 3 % is often due to chance; every run is judged by itself
    received = [verdict(*run) for run in runs(1_000, noise=0.05)]
    assert received.count(Verdict.FASTER) + received.count(Verdict.SLOWER) <= 10


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
    ("change", "p_value", "reason"),
    [
        ({"ratio": Estimate(value=0.8, low=0.7, high=1.01, n=10)}, 0.01, "the interval holds 1"),
        ({}, 0.06, "adjusted p 0.06"),
        ({"agreement": 0.7}, 0.01, "only 70 % agree"),
        (
            {"ratio": Estimate(value=0.98, low=0.97, high=0.99, n=10)},
            0.01,
            "2 % is under the 3 % that counts",
        ),
        ({"chance_effect": 0.3}, 0.01, "25 % is under the 30 % that chance alone may show"),
        (
            {"floor": 0.13},
            0.01,
            "25 % is under the 26 % that is twice the noise between equal trials",
        ),
    ],
)
def test_a_difference_needs_every_rule(change, p_value, reason):
    assert decide(SURE, 0.01, OF_ROUNDS)[0] == Verdict.FASTER
    verdict, received = decide(replace(SURE, **change), p_value, OF_ROUNDS)
    assert verdict == Verdict.UNCLEAR
    assert received.replace("\u00a0", " ") == reason


def test_equality_is_a_verdict_only_if_it_is_shown():
    assert claim_of_rounds(EQUAL, 0.4, 0.001, 1).verdict == Verdict.SAME
    assert claim_of_rounds(EQUAL, 0.4, 0.06, 1).verdict == Verdict.UNCLEAR
    far = replace(EQUAL, ratio=Estimate(value=0.96, low=0.95, high=1.01, n=10))
    assert claim_of_rounds(far, 0.4, 0.001, 1).verdict == Verdict.UNCLEAR


def test_a_hundred_claims_are_decided_with_ten_rounds():
    assert set(verdicts(runs(100, 0.8))) == {Verdict.FASTER}


def test_a_comparison_with_too_few_rounds_is_undecided_and_costs_the_others_nothing():
    few = dict.fromkeys(range(5), 1.0), dict.fromkeys(range(5), 9.0)
    pair = next(runs(1, 0.8))
    *undecided, sure = judge_rounds([({}, {0: 1.0}), few, pair])
    assert [(claim.verdict, claim.reason) for claim in undecided] == [
        (Verdict.UNDECIDED, "0 of the 6 good rounds that a verdict needs"),
        (Verdict.UNDECIDED, "5 of the 6 good rounds that a verdict needs"),
    ]
    assert sure == judge_rounds([pair])[0]
    assert sure.verdict == Verdict.FASTER


def test_nothing_to_judge():
    assert judge_rounds([]) == []
    assert judge_runs([]) == []
    assert judge_runs([[]]) == [[]]


@pytest.mark.parametrize(
    ("ratio", "expected"),
    [(0.8, "FASTER"), (1.3, "SLOWER"), (1.0, "UNCLEAR"), (1.1, "UNCLEAR")],
)
def test_two_runs_must_differ_by_more_than_two_runs_may(ratio, expected):
    ((claim,),) = judge_runs([list(runs(1, ratio, shared=0.0))])
    assert claim.verdict == expected
    assert claim.detectable == pytest.approx(0.16, abs=0.02)


@pytest.mark.parametrize("ratio", [1 / 1.17, 1.17])
def test_the_whole_interval_of_two_runs_must_lie_beyond_what_they_may_differ(ratio):
    ((claim,),) = judge_runs([list(runs(1, ratio, noise=0.03, shared=0.0))])
    assert claim.comparison.effect > 0.15
    assert claim.verdict == Verdict.UNCLEAR
    reason = "the interval reaches under the 15 % by which two runs may differ"
    assert claim.reason.replace("\u00a0", " ") == reason


def test_of_two_runs_with_few_rounds_nothing_is_decided():
    ((claim,),) = judge_runs([list(runs(1, 0.5, rounds=5))])
    assert claim.verdict == Verdict.UNDECIDED


PAIRS = st.lists(st.tuples(SECONDS, SECONDS), min_size=1, max_size=12)
CLOSE = st.floats(0.5, 2.0)


@settings(max_examples=15, deadline=None)
@given(PAIRS | st.lists(st.tuples(CLOSE, st.floats(2.2, 2.4)), min_size=6, max_size=12))
def test_swapping_the_cells_mirrors_the_verdict(pairs):
    first, second = (dict(enumerate(cell)) for cell in zip(*pairs, strict=True))
    (plain,), (swapped,) = judge_rounds([(first, second)]), judge_rounds([(second, first)])
    assert plain.p_value == swapped.p_value
    assert plain.equivalence_p_value == swapped.equivalence_p_value
    plain, swapped = compare_rounds(first, second), compare_rounds(second, first)
    assert plain.effect == pytest.approx(swapped.effect)
    assert verdict(second, first) == MIRROR[verdict(first, second)]


@settings(max_examples=15, deadline=None)
@given(PAIRS, st.floats(1e-3, 1e3))
def test_the_unit_of_time_changes_nothing(pairs, scale):
    first, second = (dict(enumerate(cell)) for cell in zip(*pairs, strict=True))
    scaled = [{turn: scale * cell[turn] for turn in cell} for cell in (first, second)]
    plain, other = compare_rounds(first, second), compare_rounds(*scaled)
    assert other.ratio.value == pytest.approx(plain.ratio.value)
    assert verdict(*scaled) == verdict(first, second)
