"""Any result of a worker becomes a record, and every null in the record has a reason."""

import math
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from bench.record import ContentionModel, EnvironmentModel, Record
from bench.run.outcome import Beside, Outcome, record_of
from bench.spec import AccuracyPlan, Cell, Execution, Trial
from tests.records import environment, good

CELL = Cell(
    workload="mlp-512", backend="fake", execution=Execution(device="cpu", batch_size=128)
)  # fmt: skip
TRIAL = Trial(kind="accuracy", cell=CELL, seed=3, accuracy=AccuracyPlan(epochs=1))
LAYER = {"name": "dense_0", "kind": "dense", "output_shape": [10], "count": 7850}
TIMES = {"spawn_seconds": 0.5, "total_seconds": 1.0}


def record(status: str = "ok", reason: str | None = None, **result: Any) -> Record:
    if status == "ok":
        result = {"accuracy": good(TRIAL)["accuracy"], **result}
    return to_record(Outcome(status=status, reason=reason, result=result or None))


def to_record(outcome: Outcome) -> Record:
    machine = EnvironmentModel.model_validate(environment())
    contention = ContentionModel(wall_seconds=1.0)
    return record_of("a-run", TRIAL, outcome, machine, Beside(load=contention))


def test_a_result_becomes_a_record():
    made = record(
        layers=[LAYER, {**LAYER, "name": "dense_1", "count": 10}],
        settings={"device": "cpu", "threads": 2, "tf32": False, "compiler": None},
        rungs=[{"rung": "data", "measured": 0, "gate": 0.0, "passed": True, "where": None}],
        timings=TIMES,
        flags=["no_steady_state"],
        peak_rss_bytes=123,
    )
    assert (made.status, made.reason, made.run_id) == ("ok", None, "a-run")
    assert made.parameters.total == 7860
    assert made.settings.requested["batch_size"] == 128
    assert made.settings.effective["compiler"] is None
    assert made.parity.rungs[0].passed
    assert made.timings.spawn_seconds == 0.5
    assert made.flags == ["no_steady_state"]
    assert made.memory.peak_rss_bytes == 123
    assert made.trial.trial() == TRIAL


def test_the_python_is_the_workers_if_the_worker_reported_it():
    assert record(python="3.12.1").environment.python == "3.12.1"
    assert record(timings=TIMES).environment.python == environment()["python"]


def test_every_null_has_its_known_reason():
    reasons = record(timings=TIMES).null_reasons
    assert reasons["timings.native_seconds"] == "not part of this accuracy trial"
    assert reasons["lanes"] == "not part of this accuracy trial"
    assert reasons["memory.peak_device_bytes"] == (
        "the framework keeps no count of this device's memory"
    )


def test_a_tutorial_that_is_not_installed_is_the_reason_of_its_null():
    lane = {"block_seconds": [0.125], "steps_per_block": 64, "batch_size": 128}
    made = record(lanes={"step": lane}, tutorial_missing="ImportError: No module named 'vision'")
    assert made.null_reasons["lanes.tutorial"] == "ImportError: No module named 'vision'"
    assert made.null_reasons["lanes.latency"] == "the plan has no steps for it"


def test_a_result_without_its_figures_is_not_ok():
    made = record(accuracy=None)
    assert (made.status, made.accuracy) == ("failed", None)
    assert made.reason == (
        "the worker's result is without its figures. Expected: accuracy. Received: none"
    )


def test_a_trial_that_sent_nothing_says_how_it_ended():
    made = record("killed", "ended by SIGSEGV; see worker.log")
    assert (made.status, made.reason) == ("killed", "ended by SIGSEGV; see worker.log")
    assert made.null_reasons["lanes"] == "the trial ended before that, as killed"
    assert made.timings.total_seconds is None
    assert made.parameters is None


@pytest.mark.parametrize("part", ["lanes", "accuracy"])
def test_a_failed_trial_has_no_figures(part):
    # this part has no valid lane or accuracy: a record that kept it would be invalid
    made = record("parity_failed", "fit changed no weight", **{part: {"step": 1}})
    assert (made.status, getattr(made, part)) == ("parity_failed", None)
    assert made.null_reasons[part] == "the trial ended before that, as parity_failed"


def test_a_trial_that_never_ran_has_no_contention():
    machine = EnvironmentModel.model_validate(environment())
    outcome = Outcome(status="unavailable", reason="no such device", result=None)
    made = record_of("a-run", TRIAL, outcome, machine, Beside())
    assert made.null_reasons["contention"] == "nothing ran"


@pytest.mark.parametrize(
    ("result", "place"),
    [
        ({"settings": {"threads": [1, 2]}}, "settings.effective.threads"),
        ({"settings": {"learning_rate": math.nan}}, "settings.effective.learning_rate"),
        ({"accuracy": {"epochs": []}}, "accuracy.train_images: Field required"),
        ({"timings": {"total_seconds": -1.0}}, "timings.total_seconds"),
        ({"timings": {"coffee_seconds": 1.0}}, "timings.coffee_seconds"),
        ({"lanes": {"step": {"block_seconds": [0.0], "steps_per_block": 1, "batch_size": 1}}},
         "lanes.step.block_seconds.0"),
        ({"layers": [{**LAYER, "output_shape": [0]}]}, "parameters.layers.0.output_shape.0"),
        ({"flags": "many"}, "flags"),
        ({"windows": {"step": {"wall_seconds": ["long"]}}}, "wall_seconds.0"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_a_result_that_is_not_a_record_fails_and_names_the_place(result, place):
    made = record(**result)
    assert made.status == "failed"
    assert made.reason.startswith(f"the worker's result is not a record: {place}")
    assert "\n" not in made.reason
    assert made.settings is None
    assert made.null_reasons["lanes"] == "the trial ended before that, as failed"


def test_an_unknown_status_fails():
    made = record("splendid", None, timings=TIMES)
    assert made.status == "failed"
    assert made.reason.startswith("the worker's result is not a record: status: Input should be")


def test_a_failure_without_a_reason_is_given_one():
    made = record("failed", None, timings=TIMES)
    assert "a reason goes with every status but ok" in made.reason


# a small alphabet: all of Unicode takes a second to set up
WORDS = st.text("ab\u00e9\ud800", max_size=3)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | WORDS,
    lambda child: st.lists(child, max_size=2) | st.dictionaries(WORDS, child, max_size=2),
    max_leaves=4,
)
PARTS = st.sampled_from(
    ["rungs", "layers", "settings", "timings", "lanes", "accuracy", "flags", "peak_rss_bytes",
     "tutorial_missing", "surplus"]
)  # fmt: skip


@given(result=st.dictionaries(PARTS, JSON), status=st.sampled_from(["ok", "failed", "?"]))
@settings(max_examples=40, derandomize=True, phases=[Phase.generate])
def test_any_result_becomes_a_record(result, status):
    reason = None if status == "ok" else "a reason"
    assert isinstance(to_record(Outcome(status=status, reason=reason, result=result)), Record)


@pytest.mark.parametrize("layers", [[{"name": "dense_0"}], [{**LAYER, "count": "many"}], None])
def test_a_layer_table_without_counts_fails(layers):
    assert record(layers=layers).status == "failed"


def test_a_reason_does_not_name_the_home_folder(monkeypatch):
    monkeypatch.setenv("HOME", "/data/people/alice")
    made = record("failed", "no /data/people/alice/cache, nor /data/people/alices")
    assert made.reason == "no ~/cache, nor /data/people/alices"
