"""What a report says of its own making."""

import pytest

from bench.record.preflight import FindingModel, PreflightModel, SeenModel
from reports.results.cells import group
from reports.sections import disturbances, method
from tests.records import build_record, build_run, plan

SESSION = {"started": "2026-01-02T03:05:00+00:00", "wall_seconds": 1000.0, "outcome": "complete"}
SEEN = SeenModel(
    seconds=5.0, cores=2, allowed_cores=None, other_cpu_share=0.3, stolen_share=None,
    governors=None, available_memory_bytes=10**10, swap_used_bytes=None, swap_moved_bytes=None,
    free_disk_bytes=None, on_battery=None, gpus=[],
)  # fmt: skip


def run_with(*sessions):
    return build_run(plan(rounds=1), sessions=[{**SESSION, **one} for one in sessions])


def test_the_timetable_says_what_was_the_workers_and_what_the_harness_took():
    run = run_with(
        {"worker_seconds": 985.0, "parent_cpu_seconds": 4.0},
        {"worker_seconds": 995.0, "parent_cpu_seconds": 2.0},
    )
    text = " Of that, 99.0 % inside workers; the harness itself took 0.30 % of a core."
    assert text in method.timetable(run)


def test_a_killed_run_has_the_least_time_that_it_took():
    run = run_with({"outcome": "killed"}, {})
    assert "Took: at least 33.3 min (2 sessions: killed, complete)." in method.timetable(run)


def test_runs_that_did_not_count_it_do_not_say_it():
    assert "inside workers" not in method.timetable(run_with({}))


def test_a_session_that_took_no_time_has_no_share():
    nothing = {"wall_seconds": 0.0, "worker_seconds": 1.0}
    assert "inside workers" not in method.timetable(run_with(nothing))


@pytest.mark.parametrize("waited", [True, False])
def test_that_processes_took_turns_is_said_of_those_that_did(waited):
    trials = plan(workloads=["mlp-512"], rounds=1, seeds=())
    records = [build_record(trial) for trial in trials]
    if waited:
        timings = records[0].timings.model_copy(update={"waiting_seconds": 2.0})
        records[0] = records[0].model_copy(update={"timings": timings})
    assert ("take turns" in method.turns(group(build_run(trials), records))) == waited


@pytest.mark.parametrize(("verdict", "told"), [("fit", False), ("doubtful", True), ("unfit", True)])
def test_a_look_at_the_machine_is_reported(verdict, told):
    finding = FindingModel(name="load", value="30 %", verdict=verdict, reason="too much")
    look = PreflightModel(verdict=verdict, findings=[finding], seen=SEEN)
    blocks = list(disturbances.preflight(run_with({"preflight": look.model_dump()})))
    assert f"before the run said: {verdict} (" in blocks[0]
    assert (len(blocks) == 2 and "too much" in blocks[1]) == told


def test_without_a_look_nothing_is_reported():
    assert list(disturbances.preflight(run_with({}))) == []
