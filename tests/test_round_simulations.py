"""The committed simulations follow from their programs, and keep what they promise."""

import json

import numpy as np
import pytest

from bench.stats.detectable import CLAIMS, DEVIATIONS
from scripts.pages import simulations
from scripts.simulations import detectable, neighbours, rounds
from scripts.simulations.noise import DESIGNS, STAYS

ROWS = json.loads(rounds.FILE.read_text(encoding="utf-8"))
MOST_FALSE = 0.06


@pytest.mark.parametrize(("shape", "effect"), [("normal", 0.1), ("bimodal", 0.05)])
def test_a_row_is_simulated_again_with_the_same_result(shape, effect):
    again = rounds.row(DESIGNS[0], shape, 6, effect)
    assert again in ROWS


def test_every_setting_is_in_the_file():
    settings = [(d.claims, shape, n, effect) for d, shape, n, effect in rounds.settings()]
    keys = [(row["claims"], row["noise"], row["rounds"], row["effect"]) for row in ROWS]
    assert keys == settings


def test_false_differences_are_rare_in_every_setting_that_keeps_the_assumption():
    rates = [row["max_t"]["false"] for row in ROWS if row["noise"] in simulations.WITHIN]
    assert len(rates) > len(ROWS) / 2
    assert max(rates) <= MOST_FALSE


def test_ten_percent_are_found_with_a_hundred_claims_and_ten_rounds():
    (row,) = [
        row
        for row in ROWS
        if (row["claims"], row["noise"], row["rounds"], row["effect"]) == (100, "normal", 10, 0.1)
    ]
    assert row["max_t"]["found"] >= 0.9
    assert row["holm"]["found"] == 0


def test_a_multiple_of_the_table_is_simulated_again_with_the_same_result():
    assert detectable.multiple(6, 1) == DEVIATIONS[6][CLAIMS.index(1)]


def test_more_rounds_find_less_and_more_claims_need_more():
    assert tuple(DEVIATIONS) == detectable.ROUNDS
    # each value varies by 0.1 to 0.2
    assert all(multiples[-1] > multiples[0] - 0.2 for multiples in DEVIATIONS.values())
    for column in zip(*DEVIATIONS.values(), strict=True):
        assert column[0] > column[4] > column[-1] > 1


def test_rounds_that_depend_on_each_other_are_noticed():
    draw = np.random.default_rng(1)
    assert np.mean([neighbours.excess(draw.normal(size=10)) for _ in range(500)]) < 0.05
    steps = [neighbours.excess(np.cumsum(draw.normal(size=10))) for _ in range(500)]
    assert np.mean(steps) > 0.4


def test_the_assumed_drift_is_not_below_what_published_runs_have():
    measured = [
        neighbours.neighbour_correlation(simulations.PUBLISHED / name)
        for name in simulations.MEASURED
    ]
    assert max(measured) <= STAYS["drifting"]


def test_the_page_follows_from_the_simulation():
    text = simulations.PAGE.read_text(encoding="utf-8")
    assert simulations.page(text) == text, "run `python -m scripts.pages.simulations`"
