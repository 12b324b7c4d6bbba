"""One trial or pilot inside its process, run here in the tests' own: each guard fires."""

import io
import json
import os
import re
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from typing import Any

import pytest

from bench import mnist
from bench.parity.gates import gate
from bench.parity.rungs import LARGEST, digests
from bench.record import ContentionModel, EnvironmentModel, Record, read_record, write_record
from bench.run.outcome import Beside, Outcome, record_of
from bench.spec import AccuracyPlan, Cell, Execution, ParityPlan, Setup, TimingPlan, Trial
from bench.worker import entry
from bench.worker.accuracy import INFERENCE_PASSES
from bench.worker.messages import PilotTask, Process, Task, TrialTask
from bench.worker.task import read_task, write_task
from bench.workloads import WORKLOADS
from tests.fakes.adapter import (
    FIT_SECONDS,
    NATIVE_STEP_SECONDS,
    STEP_SECONDS,
    TUTORIAL_STEP_SECONDS,
)
from tests.records import environment

SEED = 3
CPU = Execution(device="cpu", batch_size=128)
# where nothing depends on the batch, the oracle has less to compute
SMALL = replace(CPU, batch_size=16)
PARITY = ParityPlan(precision="float32", steps=2, twin_steps=2)
EXACT = ParityPlan(precision="float64", steps=2)
ACCURACY = AccuracyPlan(epochs=2, train_images=640)
TIMING = TimingPlan(
    window_blocks=5, blocks=3, steps_per_block=64, native_steps=8, native_slices=2,
    tutorial_steps=2, latency_steps=4,
)  # fmt: skip

Events = list[dict[str, Any]]
Work = Callable[[str, dict[str, Any]], Events]


@pytest.fixture(scope="module")
def embedded() -> mnist.Mnist:
    return mnist.load()


@pytest.fixture(scope="module")
def patch() -> Iterator[pytest.MonkeyPatch]:
    with pytest.MonkeyPatch.context() as patch:
        yield patch


@pytest.fixture(scope="module")
def work(
    tmp_path_factory: pytest.TempPathFactory, embedded: mnist.Mnist, patch: pytest.MonkeyPatch
) -> Work:
    """What a worker sends for a job; `bench.worker.entry.main` as it is, but in this process."""
    # a fake replaces this process's clock; the end of the patch brings it back
    patch.setattr(time, "perf_counter", time.perf_counter)
    # read and verified once; test_mnist.py tests that
    patch.setattr(mnist, "load", lambda: embedded)
    folder = tmp_path_factory.mktemp("worker")

    def run(backend: str, task: dict[str, Any]) -> Events:
        # a file, not a pipe: nobody reads while this process writes
        path = folder / "events"
        job = {
            "backend": backend,
            "adapter": "tests.fakes.adapter",
            "spawned_monotonic": time.monotonic(),
            "result_descriptor": os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC),
            **task,
        }
        patch.setattr(sys, "stdin", io.StringIO(json.dumps(job)))
        entry.main()
        return [json.loads(line) for line in path.read_text().splitlines()]

    return run


def trial_of(backend: str, execution: Execution = CPU, **plan: Any) -> Trial:
    cell = Cell(workload="mlp-512", backend=backend, execution=execution)
    (kind,) = plan
    return Trial(kind=kind, cell=cell, seed=SEED, **plan)


@pytest.fixture(scope="module")
def run_trial(work: Work, embedded: mnist.Mnist) -> Callable[..., Events]:
    initial = mnist.initial_parameters(WORKLOADS["mlp-512"], SEED)
    hashes = digests(SEED, embedded, initial)

    def run(trial: Trial, **job: Any) -> Events:
        return work(
            trial.cell.backend, {"trial": asdict(trial), "digests": hashes, "dump": None, **job}
        )

    return run


@pytest.fixture(scope="module")
def climbed(run_trial: Callable[..., Events]) -> Events:
    return run_trial(trial_of("fake", SMALL, parity=PARITY))


@pytest.fixture(scope="module")
def trained(run_trial: Callable[..., Events]) -> Events:
    return run_trial(trial_of("fake", accuracy=ACCURACY))


@pytest.fixture(scope="module")
def timed(run_trial: Callable[..., Events]) -> Events:
    return run_trial(trial_of("fake", timing=TIMING))


def recorded(trial: Trial, events: Events) -> Record:
    """The record that the parent makes of what the worker sent last."""
    result = events[-1]["result"]
    outcome = Outcome(status=result["status"], reason=result["reason"], result=result)
    machine = EnvironmentModel.model_validate(environment())
    return record_of(
        "a-run", trial, outcome, machine, Beside(load=ContentionModel(wall_seconds=1.0))
    )


def test_an_accuracy_trial_trains_evaluates_and_predicts(trained, embedded):
    record = recorded(trial_of("fake", accuracy=ACCURACY), trained)
    assert (record.status, record.reason, record.flags) == ("ok", None, [])
    assert record.parameters.total == WORKLOADS["mlp-512"].parameter_total
    assert record.lanes is None

    accuracy = record.accuracy
    assert [epoch.epoch for epoch in accuracy.epochs] == [1, 2]
    assert [event["epoch"] for event in trained if event["event"] == "epoch"] == [1, 2]
    # the clock stops before the evaluation; 640 images are 5 steps
    assert {epoch.seconds for epoch in accuracy.epochs} == {FIT_SECONDS + 5 * NATIVE_STEP_SECONDS}
    # a bias alone predicts one class, and which one it is follows from the labels it saw
    (predicted,) = set(accuracy.predicted)
    assert len(accuracy.predicted) == 10_000
    share = (embedded.test_labels == predicted).mean()
    assert accuracy.final_test_accuracy == pytest.approx(share)
    assert accuracy.epochs[-1].test_accuracy == pytest.approx(share)
    assert accuracy.final_test_loss == pytest.approx(accuracy.epochs[-1].test_loss, rel=1e-5)
    assert accuracy.final_train_loss < accuracy.epochs[0].train_loss
    assert accuracy.inference.seconds == [313 * NATIVE_STEP_SECONDS] * INFERENCE_PASSES


def test_every_trial_ends_with_a_short_certificate(trained, timed):
    """Of the very program that was trained or timed, after all that is measured."""
    for events, plan in ((trained, {"accuracy": ACCURACY}), (timed, {"timing": TIMING})):
        rungs = recorded(trial_of("fake", **plan), events).parity.rungs
        names = [rung.rung for rung in rungs]
        assert names == ["data", "parameters", "initial", "forward", "gradient", "update"]
        assert all(rung.passed for rung in rungs)
        assert [rung.rung for rung in rungs if rung.gate > 0] == names[3:]
        phases = [event["phase"] for event in events if event["event"] == "phase"]
        assert phases[-1] == "parity"


def test_a_parity_trial_climbs_every_rung_in_order(climbed):
    record = recorded(trial_of("fake", SMALL, parity=PARITY), climbed)
    assert (record.status, record.reason, record.flags) == ("ok", None, [])
    assert [rung.rung for rung in record.parity.rungs] == [
        "data", "parameters", "initial", "forward", "gradient", "update", "fit", "fit loss",
        "trajectory", "tanh trajectory",
    ]  # fmt: skip
    assert all(rung.passed for rung in record.parity.rungs)
    assert (record.lanes, record.accuracy) == (None, None)
    assert record.timings.parity_seconds > 0
    assert record.parameters.total == WORKLOADS["mlp-512"].parameter_total


def test_a_parity_trial_in_float64_has_other_gates_and_no_twin(run_trial):
    trial = trial_of("fake", SMALL, parity=EXACT)
    rungs = {rung.rung: rung for rung in recorded(trial, run_trial(trial)).parity.rungs}
    assert list(rungs)[-1] == "trajectory"
    assert rungs["gradient"].gate == gate("float64", "gradient") < gate("float32", "gradient")
    # the fake computes as the oracle does, and in float64 nothing is rounded on the way
    assert {rung.measured for rung in rungs.values()} == {0.0}


@pytest.mark.parametrize("plan", [PARITY, EXACT], ids=lambda plan: plan.precision)
def test_a_gradient_that_diverges_is_named_with_both_sides(run_trial, plan):
    trial = trial_of("fake-diverging", SMALL, parity=plan)
    record = recorded(trial, run_trial(trial))
    assert record.status == "parity_failed"
    *passed, failed = record.parity.rungs
    names = [rung.rung for rung in passed]
    assert names == ["data", "parameters", "initial", "forward"]
    assert all(rung.passed for rung in passed)
    assert (failed.rung, failed.passed) == ("gradient", False)
    assert failed.measured == pytest.approx(0.01, rel=1e-6)
    told = re.fullmatch(
        r"rung gradient: measured 0\.01, gate (\S+): dense_0/kernel, full batch "
        r"\(\[\d+, \d+\] expected (\S+), received (\S+)\)",
        record.reason,
    )
    limit, expected, received = map(float, told.groups())
    assert limit == gate(plan.precision, "gradient")
    assert received == pytest.approx(1.01 * expected, rel=1e-6)


@pytest.mark.parametrize("plan", [{"accuracy": ACCURACY}, {"timing": TIMING}], ids=["fit", "step"])
def test_what_diverges_in_its_short_certificate_has_no_figures(run_trial, plan):
    trial = trial_of("fake-diverging", SMALL, **plan)
    record = recorded(trial, run_trial(trial))
    assert record.status == "parity_failed"
    assert record.reason.startswith("rung gradient: measured 0.01, gate ")
    assert (record.lanes, record.accuracy) == (None, None)


def test_what_is_no_number_fails_and_still_fits_the_record(run_trial, tmp_path):
    trial = trial_of("fake-nan-gradients", SMALL, parity=PARITY)
    record = recorded(trial, run_trial(trial))
    assert record.status == "parity_failed"
    failed = record.parity.rungs[-1]
    assert (failed.rung, failed.measured, failed.passed) == ("gradient", LARGEST, False)
    assert failed.where.startswith("dense_0/kernel, full batch ([3, 5] expected ")
    assert failed.where.endswith("received nan)")
    write_record(record, tmp_path / "record.json")
    assert read_record(tmp_path / "record.json") == record


def test_a_dump_holds_a_step_of_the_cell(run_trial, tmp_path):
    trial = trial_of("fake", SMALL, parity=EXACT)
    assert run_trial(trial, dump=str(tmp_path))[-1]["result"]["status"] == "ok"
    files = sorted(path.name for path in (tmp_path / "mlp-512" / "fake").iterdir())
    assert files == ["batch.npz", "out.npz", "weights.npz"]


def test_a_timing_trial_has_exact_lanes(timed):
    record = recorded(trial_of("fake", timing=TIMING), timed)
    assert (record.status, record.flags, record.accuracy) == ("ok", [], None)
    assert record.lanes.model_dump() == {
        "step": {
            # constant times are steady after one window
            "warm_up_block_seconds": [64 * STEP_SECONDS] * 5,
            "block_seconds": [64 * STEP_SECONDS] * 3,
            "steps_per_block": 64,
            "batch_size": 128,
        },
        "native": {
            "slice_seconds": [FIT_SECONDS + 8 * NATIVE_STEP_SECONDS] * 2,
            "steps_per_slice": 8,
            "short_slice_seconds": [FIT_SECONDS + 2 * NATIVE_STEP_SECONDS] * 2,
            "steps_per_short_slice": 2,
            "batch_size": 128,
        },
        "tutorial": {
            "slice_seconds": [2 * TUTORIAL_STEP_SECONDS],
            "steps_per_slice": 2,
            "batch_size": 128,
        },
        "latency": {"step_seconds": [STEP_SECONDS] * 4, "batch_size": 128},
        "canary": {
            "steps": 16,
            "single_seconds": [16 * STEP_SECONDS] * 5,
            "double_seconds": [32 * STEP_SECONDS] * 5,
            "late_seconds": [0.0] * 5,
        },
        "power": None,
    }


def test_a_power_lane_runs_whole_blocks_until_its_seconds_are_over(run_trial):
    trial = trial_of("fake", timing=replace(TIMING, power_seconds=0.3))
    events = run_trial(trial)
    # three blocks of an eighth of a second
    assert recorded(trial, events).lanes.power.model_dump() == {
        "seconds": 3 * 64 * STEP_SECONDS, "steps": 192, "batch_size": 128
    }  # fmt: skip
    phases = [event["phase"] for event in events if event["event"] == "phase"]
    # the parent reads the energy as it begins and as the next phase does
    assert phases[phases.index("power") :] == ["power", "parity"]


def test_a_timing_trial_tells_what_else_was_running(timed):
    windows = recorded(trial_of("fake", timing=TIMING), timed).contention.windows
    assert {lane: len(found.wall_seconds) for lane, found in windows.items()} == {
        "step": 3, "latency": 1, "native": 4,
    }  # fmt: skip
    assert all(seconds > 0 for found in windows.values() for seconds in found.wall_seconds)


def with_turns(run_trial: Callable[..., Events], turns: int) -> Events:
    """A timing trial that finds so many turns on its pipe, and then its end."""
    read_end, write_end = os.pipe()
    os.write(write_end, b"\n" * turns)
    os.close(write_end)
    try:
        return run_trial(trial_of("fake", timing=TIMING), turn_descriptor=read_end)
    finally:
        os.close(read_end)


def test_a_turn_begins_with_steps_that_are_not_timed(run_trial, timed):
    trial = trial_of("fake", timing=replace(TIMING, run_up_steps=16))
    found = recorded(trial, run_trial(trial))
    assert found.lanes.step.block_seconds == [64 * STEP_SECONDS] * 3
    assert found.timings.run_up_seconds > 0
    assert recorded(trial_of("fake", timing=TIMING), timed).timings.run_up_seconds is None


def test_what_is_timed_waits_for_its_turn(run_trial):
    # three blocks, the latency lane, two long slices and two short ones
    events = with_turns(run_trial, 8)
    assert events[-1]["result"]["status"] == "ok"
    assert events[-1]["result"]["timings"]["waiting_seconds"] >= 0
    told = [event.get("phase", event["event"]) for event in events]
    assert told.count("turn") == 8
    at = told.index("step")
    assert told[at : at + 6] == ["step", "turn", "turn", "turn", "latency", "turn"]


def test_a_worker_ends_if_the_parent_that_gives_the_turns_is_gone(run_trial):
    result = with_turns(run_trial, 2)[-1]["result"]
    assert result["status"] == "failed"
    assert result["reason"].startswith("the parent that gives the turns is gone.")


def test_phases_are_announced_as_they_begin(timed):
    announced = [event["phase"] for event in timed if event["event"] == "phase"]
    assert list(dict.fromkeys(announced)) == [
        "environment", "import", "device", "build", "load", "parity", "first_step",
            "recompile", "warmup",
        "step", "latency", "native", "tutorial",
    ]  # fmt: skip
    timings = timed[-1]["result"]["timings"]
    assert set(timings) == {f"{name}_seconds" for name in {*announced, "spawn", "total"}}


def test_phases_add_up_to_the_whole(trained, timed):
    for events in (trained, timed):
        timings = dict(events[-1]["result"]["timings"])
        total = timings.pop("total_seconds")
        assert 0.8 * total < sum(timings.values()) <= total


def test_a_pipeline_that_is_not_installed_leaves_the_other_lanes(run_trial):
    trial = trial_of("fake-no-tutorial", SMALL, timing=TIMING)
    record = recorded(trial, run_trial(trial))
    assert (record.status, record.lanes.tutorial) == ("ok", None)
    assert record.null_reasons["lanes.tutorial"] == "ImportError: No module named 'fakevision'"
    assert len(record.lanes.step.block_seconds) == 3


CUDA = replace(CPU, device="cuda:7")
GRAPH = replace(CPU, mode="graph")
COMPILED = replace(CPU, mode="compiled")


@pytest.mark.parametrize(
    ("backend", "execution", "status", "reason"),
    [
        ("fake-missing", CPU, "unavailable",
         "fake-missing does not import: ModuleNotFoundError: No module named 'fake_framework'"),
        ("fake-broken", CPU, "unavailable",
         "fake-broken does not import: OSError: libfake.so.9: cannot open shared object file"),
        ("fake-crooked", CPU, "unavailable",
         "fake-crooked does not import: AttributeError: module 'numpy' has no attribute 'float_'"),
        ("fake-leaving", CPU, "unavailable",
         "fake-leaving does not import: SystemExit: no licence found"),
        ("fake", CUDA, "unavailable",
         "no such device in fake. Expected: one of cpu. Received: cuda:7"),
        ("fake", GRAPH, "unsupported", "no mode 'graph' here"),
        ("fake-wider", CPU, "parity_failed",
         "rung parameters: measured 1, gate 0: dense_1: expected dense (10,) with 5130 parameters, "
         "received dense (10,) with 5131 parameters"),
        ("fake-drifting", CPU, "parity_failed",
         "rung initial: measured 3, gate 0: dense_1/bias: 3 values differ"),
        ("fake-elsewhere", CPU, "parity_failed",
         "setting device is not what was asked for. Expected: cpu. Received: cuda:0"),
        ("fake-falling-back", COMPILED, "parity_failed",
         "mode 'compiled' ran without a compiled program. Expected: one. Received: False"),
        ("fake-idle", CPU, "parity_failed",
         "fit changed no weight. Expected: an update. Received: the same"),
        ("fake-nan", CPU, "failed_training",
         "train loss of epoch 1. Expected: a finite number. Received: nan"),
        ("fake-nan-test", CPU, "failed_training",
         "test loss of epoch 1. Expected: a finite number. Received: inf"),
        ("fake-raising", CPU, "failed", "out of memory: RuntimeError: out of memory"),
        ("fake-list-settings", SMALL, "failed",
         "the worker's result is not a record: settings.effective.threads.str: Input should be a "
         "valid string. Received: [1, 2]"),
        ("fake-nobody", CPU, "failed", "KeyError: 'fake-nobody'"),
    ],
    ids=lambda value: value if isinstance(value, str) and " " not in value else "",
)  # fmt: skip
def test_a_guard_fires(run_trial, backend, execution, status, reason):
    trial = trial_of(backend, execution, accuracy=ACCURACY)
    record = recorded(trial, run_trial(trial))
    assert (record.status, record.reason) == (status, reason)
    assert record.lanes is None


@pytest.mark.parametrize("plan", [{"accuracy": ACCURACY}, {"timing": TIMING}], ids=["fit", "step"])
def test_what_fails_parity_has_no_figures(run_trial, plan):
    trial = trial_of("fake-idle", **plan)
    record = recorded(trial, run_trial(trial))
    assert record.status == "parity_failed"
    assert (record.accuracy, record.lanes) == (None, None)


@pytest.mark.parametrize(
    ("backend", "what"), [("fake-idle-step", "the train step"), ("fake-idle-fit", "fit")]
)
def test_what_does_nothing_is_never_timed(run_trial, backend, what):
    trial = trial_of(backend, timing=TIMING)
    record = recorded(trial, run_trial(trial))
    assert record.status == "parity_failed"
    assert record.reason == f"{what} changed no weight. Expected: an update. Received: the same"
    assert record.lanes is None


@pytest.mark.parametrize(
    ("backend", "reason"),
    [
        ("fake-early", "canary: 88 % of a block's work came after its end. Expected: none. "
         "The backend returns before its work is done"),
        ("fake-skipping", "canary: twice the steps took 1 times as long. Expected: 1.8 to 2.2. "
         "The backend skips work or returns before it is done"),
    ],
)  # fmt: skip
def test_what_lies_about_its_work_has_no_times(run_trial, backend, reason):
    trial = trial_of(backend, timing=TIMING)
    record = recorded(trial, run_trial(trial))
    assert (record.status, record.reason, record.lanes) == ("failed", reason, None)


def test_a_compilation_among_the_blocks_is_flagged(run_trial):
    trial = trial_of("fake-recompiling", timing=replace(TIMING, window_blocks=2, blocks=20))
    record = recorded(trial, run_trial(trial))
    assert (record.status, record.flags) == ("ok", ["recompiled"])


def test_a_failed_rung_stands_in_the_record(run_trial):
    trial = trial_of("fake-wider", accuracy=ACCURACY)
    rungs = {rung.rung: rung for rung in recorded(trial, run_trial(trial)).parity.rungs}
    assert [name for name, rung in rungs.items() if not rung.passed] == ["parameters"]
    assert rungs["parameters"].measured == 1
    assert "5131" in rungs["parameters"].where


def test_other_data_than_the_parents_is_refused(run_trial):
    trial = trial_of("fake", accuracy=ACCURACY)
    others = {"images and labels": "0" * 64, "batch order": "0" * 64, "initial parameters": "0"}
    record = recorded(trial, run_trial(trial, digests=others))
    assert record.status == "parity_failed"
    why = "rung data: measured 3, gate 0: images and labels: expected 000000000000, received"
    assert record.reason.startswith(why)
    assert record.parity.rungs[0].measured == 3


def test_a_result_that_json_can_not_hold_fails(run_trial):
    trial = trial_of("fake-object-settings", SMALL, accuracy=ACCURACY)
    record = recorded(trial, run_trial(trial))
    assert record.status == "failed"
    assert "is not JSON serializable" in record.reason


def test_a_traceback_goes_to_the_log(run_trial, capfd):
    run_trial(trial_of("fake-raising", accuracy=ACCURACY))
    assert "while allocating 3 GiB" in capfd.readouterr().err


def test_a_pilot_measures_each_cell(work):
    cells = [
        Cell(workload="mlp-512", backend="fake", execution=CPU),
        Cell(workload="cnn", backend="fake", execution=replace(GRAPH, batch_size=32)),
        Cell(workload="mlp-1000", backend="fake", execution=replace(CPU, batch_size=100)),
    ]
    result = work("fake", {"cells": [asdict(cell) for cell in cells]})[-1]["result"]
    assert result["status"] == "ok"
    assert result["devices"] == ["cpu"]
    assert result["versions"]["fake"] == "1.0"
    first, second, third = result["cells"]
    assert second == {
        "cell": cells[1].label,
        "status": "unsupported",
        "reason": "no mode 'graph' here",
    }
    for cell, found in zip((cells[0], cells[2]), (first, third), strict=True):
        assert (found["cell"], found["status"]) == (cell.label, "ok")
        assert found["steps_per_block"] == 64
        assert found["step_seconds"] == STEP_SECONDS
        assert found["native_step_seconds"] == NATIVE_STEP_SECONDS
        assert found["setup_seconds"] > 0


def test_a_pilot_without_cells_tells_the_versions(work):
    result = work("fake", {"cells": []})[-1]["result"]
    assert (result["status"], result["cells"]) == ("ok", [])
    assert result["versions"]["fake"] == "1.0"


PROCESS = Process(
    result_descriptor=3, turn_descriptor=None, spawned_monotonic=0.5, cache_folder="/kept"
)


def across(task: Task) -> tuple[Task, Process]:
    """Return what a worker reads of this task."""
    file = io.BytesIO()
    write_task(task, PROCESS, file)
    return read_task(io.StringIO(file.getvalue().decode()))


def test_a_trial_crosses_the_pipe_whole():
    for plan in ({"timing": TIMING}, {"accuracy": ACCURACY}, {"parity": PARITY}):
        trial = replace(
            trial_of("fake", replace(CPU, threads=3), **plan),
            round=2, position=1, setup=Setup(hash_seed=1, padding_bytes=2),
        )  # fmt: skip
        task = TrialTask(backend="fake", adapter="f", trial=trial, digests={"a": "b"}, dump="/d")
        assert across(task) == (task, PROCESS)


def test_a_pilot_crosses_the_pipe_whole():
    cells = [Cell(workload=name, backend="fake", execution=CPU) for name in ("mlp-512", "cnn")]
    task = PilotTask(backend="fake", adapter="f", cells=cells)
    assert across(task) == (task, PROCESS)
