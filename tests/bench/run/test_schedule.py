"""The trials that a run adds to its plan are pure functions of records."""

from dataclasses import replace

import pytest

from bench.record import Record
from bench.run import schedule
from bench.run.schedule import next_trials
from bench.spec import ParityPlan, Trial
from tests.records import BACKENDS, build_record, plan

TRIALS = [trial for trial in plan(workloads=["mlp-512"], rounds=6, seeds=()) if trial.timing]
SEED = 7


def flagged_record(trial: Trial, *flags: str) -> Record:
    return build_record(trial, flags=list(flags))


@pytest.mark.parametrize("flag", ["contended", "stolen", "throttled", "clock_jump"])
def test_a_disturbed_trial_is_repeated_with_the_trials_that_took_turns_with_it(flag):
    first, second, other, *_ = TRIALS
    records = [flagged_record(first, flag), flagged_record(second), flagged_record(other)]
    again = schedule.repeats(TRIALS, records, 6, SEED)
    assert [replace(trial, attempt=0, setup=None) for trial in again] == [first, second]
    assert [trial.name for trial in again] == [f"{first.name}-a1", f"{second.name}-a1"]
    assert len({trial.setup for trial in again}) == 2


def test_trials_of_cells_that_are_compared_take_turns():
    both = [trial for trial in plan(rounds=2, seeds=(1,)) if trial.timing]
    by_workload = sorted(both, key=lambda trial: (trial.round, trial.cell.workload))
    assert [trial.cell.backend for trial in next_trials(by_workload)] == [*BACKENDS]
    assert {trial.cell.workload for trial in next_trials(by_workload)} == {"cnn"}
    # another round, another attempt, another workload, another kind
    assert next_trials([by_workload[0], replace(by_workload[1], round=1)]) == by_workload[:1]
    assert next_trials([by_workload[0], replace(by_workload[1], attempt=1)]) == by_workload[:1]
    assert next_trials(by_workload[1:]) == by_workload[1:2]


@pytest.mark.parametrize("kind", ["parity", "accuracy"])
def test_a_trial_that_is_not_timed_runs_alone(kind):
    parity = (ParityPlan(precision="float32", steps=2),)
    trials = [trial for trial in plan(rounds=1, seeds=(1,), parity=parity) if trial.kind == kind]
    assert next_trials(trials) == trials[:1]


def test_trials_on_a_gpu_take_no_turns():
    trials = plan(workloads=["mlp-512"], devices=["cuda:0"], rounds=1, seeds=())
    assert next_trials(trials) == trials[:1]


def test_a_trial_that_was_never_steady_is_not_repeated():
    records = [flagged_record(TRIALS[0], "no_steady_state"), flagged_record(TRIALS[1], "canary")]
    assert schedule.repeats(TRIALS, records, 6, SEED) == []


def test_a_repeat_is_not_repeated():
    (again,) = schedule.repeats(TRIALS, [flagged_record(TRIALS[0], "contended")], 6, SEED)
    planned = [*TRIALS, again]
    records = [flagged_record(TRIALS[0], "contended"), flagged_record(again, "contended")]
    assert schedule.repeats(planned, records, 6, SEED) == []


def test_at_most_half_of_the_trials_are_repeated():
    assert schedule.most_repeats(TRIALS) == len(TRIALS) // 2 == 6
    records = [flagged_record(trial, "contended") for trial in TRIALS]
    assert len(schedule.repeats(TRIALS, records, 6, SEED)) == 6
    # never a trial without its partner
    assert len(schedule.repeats(TRIALS, records, 5, SEED)) == 4
    repeated = schedule.repeats(TRIALS, records[:4], 6, SEED)
    assert len(schedule.repeats([*TRIALS, *repeated], records, 6, SEED)) == 2


def test_the_next_round_has_the_cells_of_the_first_in_its_own_order():
    (again,) = schedule.repeats(TRIALS, [flagged_record(TRIALS[0], "contended")], 6, SEED)
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
        # too few rounds for an interval count as too wide
        ([1.0] * 5, True),
        ([], False),
    ],
)
def test_only_precision_decides_about_more_rounds(seconds, wide):
    assert schedule.is_wide(seconds) == wide


def test_either_lane_can_ask_for_more_rounds():
    records = [flagged_record(trial) for trial in TRIALS if trial.cell == TRIALS[0].cell]
    # the synthetic records scatter by 2 %
    assert schedule.too_wide({TRIALS[0].cell: records}) == [TRIALS[0].cell]
    assert schedule.too_wide({TRIALS[0].cell: [records[0]] * 6}) == []
