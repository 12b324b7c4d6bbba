"""A worker's trial or pilot, run in the process of the tests: each guard fires."""

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
# less work for the oracle in tests that do not depend on the batch
SMALL = replace(CPU, batch_size=16)
PARITY = ParityPlan(precision="float32", steps=2, twin_steps=2)
EXACT = ParityPlan(precision="float64", steps=2)
ACCURACY = AccuracyPlan(epochs=2, train_images=640)
TIMING = TimingPlan(
    window_blocks=5, blocks=3, steps_per_block=64, native_steps=8, native_slices=2,
    tutorial_steps=2, latency_steps=4,
)  # fmt: skip

# more than any trial of these tests takes
MANY_TURNS = 100

Events = list[dict[str, Any]]
Work = Callable[..., Events]


@pytest.fixture(scope="module")
def patch() -> Iterator[pytest.MonkeyPatch]:
    with pytest.MonkeyPatch.context() as patch:
        yield patch


@pytest.fixture(scope="module")
def work(
    tmp_path_factory: pytest.TempPathFactory, data: mnist.Mnist, patch: pytest.MonkeyPatch
) -> Work:
    """Return a function that runs `bench.worker.entry.main` and returns the events it sends."""
    # the fake replaces this process's clock; the end of the patch restores it
    patch.setattr(time, "perf_counter", time.perf_counter)
    # test_mnist.py tests how the data is read and verified
    patch.setattr(mnist, "load", lambda: data)
    folder = tmp_path_factory.mktemp("worker")

    def run(backend: str, task: dict[str, Any], turns: int = MANY_TURNS) -> Events:
        # a file, not a pipe: no process reads while this process writes
        path = folder / "events"
        read_end, write_end = os.pipe()
        os.write(write_end, b"\n" * turns)
        os.close(write_end)
        job = {
            "backend": backend,
            "adapter": "tests.fakes.adapter",
            "spawned_monotonic": time.monotonic(),
            "result_descriptor": os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC),
            "turn_descriptor": read_end,
            **task,
        }
        patch.setattr(sys, "stdin", io.StringIO(json.dumps(job)))
        try:
            entry.main()
        finally:
            os.close(read_end)
        return [json.loads(line) for line in path.read_text().splitlines()]

    return run


def trial_of(backend: str, execution: Execution = CPU, **plan: Any) -> Trial:
    cell = Cell(workload="mlp-512", backend=backend, execution=execution)
    (kind,) = plan
    return Trial(kind=kind, cell=cell, seed=SEED, **plan)


@pytest.fixture(scope="module")
def run_trial(work: Work, data: mnist.Mnist) -> Callable[..., Events]:
    initial = mnist.initial_parameters(WORKLOADS["mlp-512"], SEED)
    hashes = digests(SEED, data, initial)

    def run(trial: Trial, turns: int = MANY_TURNS, **job: Any) -> Events:
        task = {"trial": asdict(trial), "digests": hashes, "dump": None, **job}
        return work(trial.cell.backend, task, turns)

    return run


@pytest.fixture(scope="module")
def parity_events(run_trial: Callable[..., Events]) -> Events:
    return run_trial(trial_of("fake", SMALL, parity=PARITY))


@pytest.fixture(scope="module")
def accuracy_events(run_trial: Callable[..., Events]) -> Events:
    return run_trial(trial_of("fake", accuracy=ACCURACY))


@pytest.fixture(scope="module")
def timing_events(run_trial: Callable[..., Events]) -> Events:
    return run_trial(trial_of("fake", timing=TIMING))


def to_record(trial: Trial, events: Events) -> Record:
    """Return the record that the parent makes of the last event."""
    result = events[-1]["result"]
    outcome = Outcome(status=result["status"], reason=result["reason"], result=result)
    machine = EnvironmentModel.model_validate(environment())
    return record_of(
        "a-run", trial, outcome, machine, Beside(load=ContentionModel(wall_seconds=1.0))
    )


def test_an_accuracy_trial_trains_evaluates_and_predicts(accuracy_events, data):
    record = to_record(trial_of("fake", accuracy=ACCURACY), accuracy_events)
    assert (record.status, record.reason, record.flags) == ("ok", None, [])
    assert record.parameters.total == WORKLOADS["mlp-512"].parameter_total
    assert record.lanes is None

    accuracy = record.accuracy
    assert [epoch.epoch for epoch in accuracy.epochs] == [1, 2]
    assert [event["epoch"] for event in accuracy_events if event["event"] == "epoch"] == [1, 2]
    # the clock stops before the evaluation; 640 images are 5 steps
    assert {epoch.seconds for epoch in accuracy.epochs} == {FIT_SECONDS + 5 * NATIVE_STEP_SECONDS}
    # a bias predicts one class, which depends on the labels of the training
    (predicted,) = set(accuracy.predicted)
    assert len(accuracy.predicted) == 10_000
    share = (data.test_labels == predicted).mean()
    assert accuracy.final_test_accuracy == pytest.approx(share)
    assert accuracy.epochs[-1].test_accuracy == pytest.approx(share)
    assert accuracy.final_test_loss == pytest.approx(accuracy.epochs[-1].test_loss, rel=1e-5)
    assert accuracy.final_train_loss < accuracy.epochs[0].train_loss
    assert accuracy.inference.seconds == [313 * NATIVE_STEP_SECONDS] * INFERENCE_PASSES


def test_every_trial_ends_with_a_short_certificate(accuracy_events, timing_events):
    """It is of the program that was trained or timed, after all measurements."""
    for events, plan in (
        (accuracy_events, {"accuracy": ACCURACY}),
        (timing_events, {"timing": TIMING}),
    ):
        rungs = to_record(trial_of("fake", **plan), events).parity.rungs
        names = [rung.rung for rung in rungs]
        assert names == ["data", "parameters", "initial", "forward", "gradient", "update"]
        assert all(rung.passed for rung in rungs)
        assert [rung.rung for rung in rungs if rung.gate > 0] == names[3:]
        phases = [event["phase"] for event in events if event["event"] == "phase"]
        assert phases[-1] == "parity"


def test_a_parity_trial_climbs_every_rung_in_order(parity_events):
    record = to_record(trial_of("fake", SMALL, parity=PARITY), parity_events)
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
    rungs = {rung.rung: rung for rung in to_record(trial, run_trial(trial)).parity.rungs}
    assert list(rungs)[-1] == "trajectory"
    assert rungs["gradient"].gate == gate("float64", "gradient") < gate("float32", "gradient")
    # the fake computes with the oracle, and float64 needs no rounding
    assert {rung.measured for rung in rungs.values()} == {0.0}


@pytest.mark.parametrize("plan", [PARITY, EXACT], ids=lambda plan: plan.precision)
def test_a_gradient_that_diverges_is_named_with_both_sides(run_trial, plan):
    trial = trial_of("fake-diverging", SMALL, parity=plan)
    record = to_record(trial, run_trial(trial))
    assert record.status == "parity_failed"
    *passed, failed = record.parity.rungs
    names = [rung.rung for rung in passed]
    assert names == ["data", "parameters", "initial", "forward"]
    assert all(rung.passed for rung in passed)
    assert (failed.rung, failed.passed) == ("gradient", False)
    assert failed.measured == pytest.approx(0.01, rel=1e-6)
    match = re.fullmatch(
        r"rung gradient: measured 0\.01, gate (\S+): dense_0/kernel, full batch "
        r"\(\[\d+, \d+\] expected (\S+), received (\S+)\)",
        record.reason,
    )
    limit, expected, received = map(float, match.groups())
    assert limit == gate(plan.precision, "gradient")
    assert received == pytest.approx(1.01 * expected, rel=1e-6)


@pytest.mark.parametrize("plan", [{"accuracy": ACCURACY}, {"timing": TIMING}], ids=["fit", "step"])
def test_a_trial_that_fails_its_short_certificate_has_no_figures(run_trial, plan):
    trial = trial_of("fake-diverging", SMALL, **plan)
    record = to_record(trial, run_trial(trial))
    assert record.status == "parity_failed"
    assert record.reason.startswith("rung gradient: measured 0.01, gate ")
    assert (record.lanes, record.accuracy) == (None, None)


def test_a_gradient_that_is_not_a_number_fails_and_fits_the_record(run_trial, tmp_path):
    trial = trial_of("fake-nan-gradients", SMALL, parity=PARITY)
    record = to_record(trial, run_trial(trial))
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


def test_a_timing_trial_has_exact_lanes(timing_events):
    record = to_record(trial_of("fake", timing=TIMING), timing_events)
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
    assert to_record(trial, events).lanes.power.model_dump() == {
        "seconds": 3 * 64 * STEP_SECONDS, "steps": 192, "batch_size": 128
    }  # fmt: skip
    phases = [event["phase"] for event in events if event["event"] == "phase"]
    # the parent reads the energy at its start and at the start of the next phase
    assert phases[phases.index("power") :] == ["power", "parity"]


def test_a_timing_trial_has_windows_of_the_counters(timing_events):
    windows = to_record(trial_of("fake", timing=TIMING), timing_events).contention.windows
    assert {lane: len(window.wall_seconds) for lane, window in windows.items()} == {
        "step": 3, "latency": 1, "native": 4,
    }  # fmt: skip
    assert all(seconds > 0 for window in windows.values() for seconds in window.wall_seconds)


def test_a_turn_begins_with_steps_that_are_not_timed(run_trial, timing_events):
    trial = trial_of("fake", timing=replace(TIMING, run_up_steps=16))
    record = to_record(trial, run_trial(trial))
    assert record.lanes.step.block_seconds == [64 * STEP_SECONDS] * 3
    assert record.timings.run_up_seconds > 0
    assert to_record(trial_of("fake", timing=TIMING), timing_events).timings.run_up_seconds is None


def test_each_timed_part_waits_for_its_turn(run_trial):
    # three blocks, the latency lane, two long slices and two short ones
    events = run_trial(trial_of("fake", timing=TIMING), turns=8)
    assert events[-1]["result"]["status"] == "ok"
    assert events[-1]["result"]["timings"]["waiting_seconds"] >= 0
    names = [event.get("phase", event["event"]) for event in events]
    assert names.count("turn") == 8
    at = names.index("step")
    assert names[at : at + 6] == ["step", "turn", "turn", "turn", "latency", "turn"]


def test_a_worker_ends_if_the_parent_that_gives_the_turns_is_gone(run_trial):
    result = run_trial(trial_of("fake", timing=TIMING), turns=2)[-1]["result"]
    assert result["status"] == "failed"
    assert result["reason"].startswith("the parent that gives the turns is gone.")


def test_phases_are_announced_when_they_begin(timing_events):
    announced = [event["phase"] for event in timing_events if event["event"] == "phase"]
    assert list(dict.fromkeys(announced)) == [
        "environment", "import", "device", "build", "load", "parity", "first_step",
            "recompile", "warmup",
        "step", "latency", "native", "tutorial",
    ]  # fmt: skip
    timings = timing_events[-1]["result"]["timings"]
    assert set(timings) == {f"{name}_seconds" for name in {*announced, "spawn", "waiting", "total"}}


def test_phases_add_up_to_the_total(accuracy_events, timing_events):
    for events in (accuracy_events, timing_events):
        timings = dict(events[-1]["result"]["timings"])
        total = timings.pop("total_seconds")
        assert 0.8 * total < sum(timings.values()) <= total


def test_a_pipeline_that_is_not_installed_leaves_the_other_lanes(run_trial):
    trial = trial_of("fake-no-tutorial", SMALL, timing=TIMING)
    record = to_record(trial, run_trial(trial))
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
    record = to_record(trial, run_trial(trial))
    assert (record.status, record.reason) == (status, reason)
    assert record.lanes is None


@pytest.mark.parametrize("plan", [{"accuracy": ACCURACY}, {"timing": TIMING}], ids=["fit", "step"])
def test_a_trial_that_fails_parity_has_no_figures(run_trial, plan):
    trial = trial_of("fake-idle", **plan)
    record = to_record(trial, run_trial(trial))
    assert record.status == "parity_failed"
    assert (record.accuracy, record.lanes) == (None, None)


@pytest.mark.parametrize(
    ("backend", "what"), [("fake-idle-step", "the train step"), ("fake-idle-fit", "fit")]
)
def test_a_step_or_fit_that_changes_nothing_is_never_timed(run_trial, backend, what):
    trial = trial_of(backend, timing=TIMING)
    record = to_record(trial, run_trial(trial))
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
def test_a_program_that_fails_the_canary_has_no_times(run_trial, backend, reason):
    trial = trial_of(backend, timing=TIMING)
    record = to_record(trial, run_trial(trial))
    assert (record.status, record.reason, record.lanes) == ("failed", reason, None)


def test_a_compilation_among_the_blocks_is_flagged(run_trial):
    trial = trial_of("fake-recompiling", timing=replace(TIMING, window_blocks=2, blocks=20))
    record = to_record(trial, run_trial(trial))
    assert (record.status, record.flags) == ("ok", ["recompiled"])


def test_a_failed_rung_is_in_the_record(run_trial):
    trial = trial_of("fake-wider", accuracy=ACCURACY)
    rungs = {rung.rung: rung for rung in to_record(trial, run_trial(trial)).parity.rungs}
    assert [name for name, rung in rungs.items() if not rung.passed] == ["parameters"]
    assert rungs["parameters"].measured == 1
    assert "5131" in rungs["parameters"].where


def test_other_data_than_the_parents_is_refused(run_trial):
    trial = trial_of("fake", accuracy=ACCURACY)
    others = {"images and labels": "0" * 64, "batch order": "0" * 64, "initial parameters": "0"}
    record = to_record(trial, run_trial(trial, digests=others))
    assert record.status == "parity_failed"
    why = "rung data: measured 3, gate 0: images and labels: expected 000000000000, received"
    assert record.reason.startswith(why)
    assert record.parity.rungs[0].measured == 3


def test_a_result_that_json_can_not_hold_fails(run_trial):
    trial = trial_of("fake-object-settings", SMALL, accuracy=ACCURACY)
    record = to_record(trial, run_trial(trial))
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
    for cell, figures in zip((cells[0], cells[2]), (first, third), strict=True):
        assert (figures["cell"], figures["status"]) == (cell.label, "ok")
        assert figures["steps_per_block"] == 64
        assert figures["step_seconds"] == STEP_SECONDS
        assert figures["native_step_seconds"] == NATIVE_STEP_SECONDS
        assert figures["setup_seconds"] > 0


def test_a_pilot_without_cells_reports_the_versions(work):
    result = work("fake", {"cells": []})[-1]["result"]
    assert (result["status"], result["cells"]) == ("ok", [])
    assert result["versions"]["fake"] == "1.0"


PROCESS = Process(
    result_descriptor=3, turn_descriptor=4, spawned_monotonic=0.5, cache_folder="/kept"
)


def write_and_read(task: Task) -> tuple[Task, Process]:
    """Return what a worker reads of this task."""
    file = io.BytesIO()
    write_task(task, PROCESS, file)
    return read_task(io.StringIO(file.getvalue().decode()))


def test_a_trial_is_the_same_after_writing_and_reading():
    for plan in ({"timing": TIMING}, {"accuracy": ACCURACY}, {"parity": PARITY}):
        trial = replace(
            trial_of("fake", replace(CPU, threads=3), **plan),
            round=2, position=1, setup=Setup(hash_seed=1, padding_bytes=2),
        )  # fmt: skip
        task = TrialTask(backend="fake", adapter="f", trial=trial, digests={"a": "b"}, dump="/d")
        assert write_and_read(task) == (task, PROCESS)


def test_a_pilot_is_the_same_after_writing_and_reading():
    cells = [Cell(workload=name, backend="fake", execution=CPU) for name in ("mlp-512", "cnn")]
    task = PilotTask(backend="fake", adapter="f", cells=cells)
    assert write_and_read(task) == (task, PROCESS)
