"""The simulations of verdicts can be repeated, and their committed output holds what pages say."""

import json

import pytest

from scripts.pages import simulated_runs
from scripts.simulations import runs

ROWS = json.loads(runs.FILE.read_text("utf-8"))
# an offset of this size is larger than what two runs are assumed to differ by
BEYOND_ONE_RUN = ("an offset per run, sd 10 %", 1)


def test_every_setting_has_its_row():
    assert [(row["machine"], row["runs"]) for row in ROWS] == [
        (machine.words, number) for machine, number in runs.settings()
    ]


@pytest.mark.parametrize("place", [2, 3, 9])
def test_a_small_part_agrees_with_the_committed_rates(place):
    machine, number = list(runs.settings())[place]
    few = runs.row(machine, number, 60)
    assert few == runs.row(machine, number, 60)
    # three standard errors of a share over 60 comparisons, at most
    assert few["false"] == pytest.approx(ROWS[place]["false"], abs=0.08)
    assert few["fails"] == pytest.approx(ROWS[place]["fails"], abs=0.08)
    for effect, share in few["found"].items():
        assert share == pytest.approx(ROWS[place]["found"][effect], abs=0.35)


def test_false_claims_are_rare_but_where_one_run_cannot_know():
    for row in ROWS:
        rare = row["false"] <= 0.05
        assert rare == ((row["machine"], row["runs"]) != BEYOND_ONE_RUN), row


def test_a_machine_without_offsets_finds_planted_effects():
    one, three = ROWS[:2]
    assert one["found"]["20%"] > 0.95
    assert three["found"]["10%"] > 0.95


def test_the_page_shows_the_committed_rates():
    text = simulated_runs.PAGE.read_text("utf-8")
    assert simulated_runs.page(text) == text, "run `python -m scripts.pages.simulated_runs`"
