"""Whatever a worker sent, a record comes of it, and every null in it has a reason."""

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
    return collected(Outcome(status=status, reason=reason, result=result or None))


def collected(outcome: Outcome) -> Record:
    machine = EnvironmentModel.model_validate(environment())
    contention = ContentionModel(wall_seconds=1.0)
    return record_of("a-run", TRIAL, outcome, machine, Beside(load=contention))


def test_a_result_becomes_a_record():
    found = record(
        layers=[LAYER, {**LAYER, "name": "dense_1", "count": 10}],
        settings={"device": "cpu", "threads": 2, "tf32": False, "compiler": None},
        rungs=[{"rung": "data", "measured": 0, "gate": 0.0, "passed": True, "where": None}],
        timings=TIMES,
        flags=["no_steady_state"],
        peak_rss_bytes=123,
    )
    assert (found.status, found.reason, found.run_id) == ("ok", None, "a-run")
    assert found.parameters.total == 7860
    assert found.settings.requested["batch_size"] == 128
    assert found.settings.effective["compiler"] is None
    assert found.parity.rungs[0].passed
    assert found.timings.spawn_seconds == 0.5
    assert found.flags == ["no_steady_state"]
    assert found.memory.peak_rss_bytes == 123
    assert found.trial.trial() == TRIAL


def test_the_python_is_the_workers_where_it_told_its_own():
    assert record(python="3.12.1").environment.python == "3.12.1"
    assert record(timings=TIMES).environment.python == environment()["python"]


def test_every_null_has_the_reason_that_is_known():
    reasons = record(timings=TIMES).null_reasons
    assert reasons["timings.native_seconds"] == "not part of this accuracy trial"
    assert reasons["lanes"] == "not part of this accuracy trial"
    assert reasons["memory.peak_device_bytes"] == (
        "the framework keeps no count of this device's memory"
    )


def test_a_tutorial_that_is_not_installed_is_the_reason_of_its_null():
    lane = {"block_seconds": [0.125], "steps_per_block": 64, "batch_size": 128}
    found = record(lanes={"step": lane}, tutorial_missing="ImportError: No module named 'vision'")
    assert found.null_reasons["lanes.tutorial"] == "ImportError: No module named 'vision'"
    assert found.null_reasons["lanes.latency"] == "the plan has no steps for it"


def test_a_result_without_its_figures_is_not_ok():
    found = record(accuracy=None)
    assert (found.status, found.accuracy) == ("failed", None)
    assert found.reason == (
        "the worker's result is without its figures. Expected: accuracy. Received: none"
    )


def test_a_trial_that_sent_nothing_says_how_it_ended():
    found = record("killed", "ended by SIGSEGV; see worker.log")
    assert (found.status, found.reason) == ("killed", "ended by SIGSEGV; see worker.log")
    assert found.null_reasons["lanes"] == "the trial ended before that, as killed"
    assert found.timings.total_seconds is None
    assert found.parameters is None


@pytest.mark.parametrize("part", ["lanes", "accuracy"])
def test_a_trial_that_failed_has_no_figures_whatever_it_sent(part):
    # no lane and no accuracy at all: looked at, these would be no record
    found = record("parity_failed", "fit changed no weight", **{part: {"step": 1}})
    assert (found.status, getattr(found, part)) == ("parity_failed", None)
    assert found.null_reasons[part] == "the trial ended before that, as parity_failed"


def test_a_trial_that_never_ran_has_no_contention():
    machine = EnvironmentModel.model_validate(environment())
    outcome = Outcome(status="unavailable", reason="no such device", result=None)
    found = record_of("a-run", TRIAL, outcome, machine, Beside())
    assert found.null_reasons["contention"] == "nothing ran"


@pytest.mark.parametrize(
    ("result", "where"),
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
def test_a_result_that_is_no_record_fails_and_says_where(result, where):
    found = record(**result)
    assert found.status == "failed"
    assert found.reason.startswith(f"the worker's result is not a record: {where}")
    assert "\n" not in found.reason
    assert found.settings is None
    assert found.null_reasons["lanes"] == "the trial ended before that, as failed"


def test_a_status_that_nobody_knows_fails():
    found = record("splendid", None, timings=TIMES)
    assert found.status == "failed"
    assert found.reason.startswith("the worker's result is not a record: status: Input should be")


def test_a_failure_without_a_reason_fails_with_one():
    found = record("failed", None, timings=TIMES)
    assert "a reason goes with every status but ok" in found.reason


# an alphabet of its own, since all of Unicode takes a second to set up
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
def test_whatever_came_a_record_comes_of_it(result, status):
    reason = None if status == "ok" else "a reason"
    assert isinstance(collected(Outcome(status=status, reason=reason, result=result)), Record)


@pytest.mark.parametrize("layers", [[{"name": "dense_0"}], [{**LAYER, "count": "many"}], None])
def test_a_layer_table_without_counts_fails(layers):
    assert record(layers=layers).status == "failed"


def test_a_reason_names_no_home(monkeypatch):
    monkeypatch.setenv("HOME", "/data/people/alice")
    found = record("failed", "no /data/people/alice/cache, nor /data/people/alices")
    assert found.reason == "no ~/cache, nor /data/people/alices"
