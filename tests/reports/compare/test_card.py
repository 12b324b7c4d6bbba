"""The cards of a comparison say what its claims say, and no more."""

from dataclasses import replace

import pytest

from reports.compare import compare
from reports.compare.card import cards
from reports.compare.words import speedup_of
from reports.drawing.card import THEMES, draw, look
from reports.drawing.style import house_style
from tests.records import plan
from tests.reports.two_runs import elsewhere, longer, noisy_records, one_run, remade

TRIALS = plan(workloads=("mlp-512", "cnn"), rounds=8, seeds=())
BASE = noisy_records(trials=TRIALS)
EPYC = elsewhere(cpu="AMD EPYC")
OTHER = [remade(one, environment=EPYC) for one in BASE]


def side(name, records, *, rounds=8):
    some = [one for one in records if one.trial.round < rounds]
    trials = [one.trial.trial() for one in some]
    return one_run(name, records=some, trials=trials, environment=some[0].environment.model_dump())


def only_card(*sides):
    (found,) = cards(compare(sides))
    return found


def test_the_points_are_the_claims_of_the_full_training_loop():
    faster = [longer(one, 0.5, only="pytorch") for one in OTHER]
    compared = compare((side("before", BASE), side("after", faster)))
    (shown,) = cards(compared)
    assert (shown.title, shown.unit) == ("AMD EPYC, 2 cores", "Intel Xeon Processor, 2 cores")
    assert shown.baseline is None
    assert shown.backends[0] == "pytorch"
    claims = {
        (cell.other.cell.workload, cell.other.cell.backend): cell.claim
        for cell in compared.cells
        if cell.lane == "native"
    }
    mean, *rows = shown.rows
    assert mean.name.replace("\u00a0", " ") == "geometric mean of 2 networks"
    assert [row.name for row in rows] == ["mlp-512", "cnn"]
    for row in rows:
        assert len(row.points) == 2
        for point in row.points:
            claim = claims[row.name, point.backend]
            assert point.speedup == speedup_of(claim)
            assert point.is_shown == (claim.verdict in ("FASTER", "SLOWER", "SAME"))
    assert {point.backend: point.is_shown for point in mean.points}["pytorch"]
    assert shown.source.count(" against ") == 1


def test_two_runs_of_one_machine_are_named():
    shown = only_card(side("before", BASE), side("after", noisy_records(trials=TRIALS, seed=2)))
    assert (shown.title, shown.unit) == ("Intel Xeon Processor, 2 cores: after", "before")


def test_few_rounds_are_stamped_and_hollow():
    shown = only_card(side("before", BASE), side("after", OTHER, rounds=3))
    assert shown.stamp == "preliminary: 3 rounds, a verdict needs 6"
    assert not any(point.is_shown for row in shown.rows for point in row.points)


def test_other_modes_are_left_out_if_the_default_was_compared():
    compiled = [replace(trial, cell=trial.cell.but(mode="compiled")) for trial in TRIALS]
    trials = [*TRIALS, *compiled]
    both = noisy_records(trials=trials)
    pair = [one_run(name, records=both, trials=trials) for name in ("before", "after")]
    shown = only_card(*pair)
    assert "compiled" not in shown.title
    assert all(len(row.points) == 2 for row in shown.rows)


@pytest.mark.parametrize("theme", THEMES)
def test_a_card_without_a_baseline_can_be_drawn(theme):
    shown = only_card(side("before", BASE), side("after", OTHER))
    with house_style():
        figure = draw(shown, look(shown, THEMES[theme]))
    texts = " ".join(text.get_text() for text in figure.texts)
    assert "1x = Intel Xeon Processor, 2 cores, right is faster" in texts
