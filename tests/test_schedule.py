"""What a run adds to its plan: pure functions of records."""

from dataclasses import replace

import pytest

from bench import schedule
from bench.record import Record
from bench.spec import Trial
from tests.records import build_record, plan

TRIALS = [trial for trial in plan(workloads=["mlp-512"], rounds=6, seeds=()) if trial.timing]
SEED = 7


def recorded(trial: Trial, *flags: str) -> Record:
    return build_record(trial, flags=list(flags))


@pytest.mark.parametrize("flag", ["contended", "stolen", "throttled"])
def test_a_disturbed_trial_is_run_once_more(flag):
    first, second, *_ = TRIALS
    (again,) = schedule.repeats(TRIALS, [recorded(first, flag), recorded(second)], 6, SEED)
    assert replace(again, attempt=0, setup=None) == replace(first, setup=None)
    assert again.attempt == 1
    assert again.setup is not None
    assert again.name == f"{first.name}-a1"


def test_a_trial_that_never_was_steady_is_not_repeated():
    records = [recorded(TRIALS[0], "no_steady_state"), recorded(TRIALS[1], "canary")]
    assert schedule.repeats(TRIALS, records, 6, SEED) == []


def test_a_repeat_is_not_repeated():
    (again,) = schedule.repeats(TRIALS, [recorded(TRIALS[0], "contended")], 6, SEED)
    planned = [*TRIALS, again]
    records = [recorded(TRIALS[0], "contended"), recorded(again, "contended")]
    assert schedule.repeats(planned, records, 6, SEED) == []


def test_at_most_half_as_many_again():
    assert schedule.most_repeats(TRIALS) == len(TRIALS) // 2 == 6
    records = [recorded(trial, "contended") for trial in TRIALS]
    assert len(schedule.repeats(TRIALS, records, 6, SEED)) == 6
    repeated = schedule.repeats(TRIALS, records[:4], 6, SEED)
    assert len(schedule.repeats([*TRIALS, *repeated], records, 6, SEED)) == 2


def test_the_next_round_has_the_cells_of_the_first_in_an_order_of_its_own():
    (again,) = schedule.repeats(TRIALS, [recorded(TRIALS[0], "contended")], 6, SEED)
    planned = [*TRIALS, again]
    assert schedule.rounds(planned) == 6
    another = schedule.another_round(planned, SEED)
    assert {trial.cell for trial in another} == {trial.cell for trial in TRIALS}
    assert {(trial.round, trial.seed, trial.attempt) for trial in another} == {(6, 6, 0)}
    assert [trial.position for trial in another] == [0, 1]
    orders = {
        tuple(trial.cell for trial in schedule.another_round(planned, seed)) for seed in range(20)
    }
    assert len(orders) == 2


@pytest.mark.parametrize(
    ("seconds", "wide"),
    [
        ([1.0, 1.001, 0.999, 1.0, 1.002, 0.998], False),
        ([1.0, 1.1, 0.9, 1.0, 1.2, 0.8], True),
        # without an interval nobody knows how wide it would be
        ([1.0] * 5, True),
        ([], False),
    ],
)
def test_precision_decides_and_nothing_else(seconds, wide):
    assert schedule.is_wide(seconds) == wide


def test_either_lane_can_ask_for_more_rounds():
    records = [recorded(trial) for trial in TRIALS if trial.cell == TRIALS[0].cell]
    # the synthetic records scatter by 2 %
    assert schedule.too_wide({TRIALS[0].cell: records}) == [TRIALS[0].cell]
    assert schedule.too_wide({TRIALS[0].cell: [records[0]] * 6}) == []
