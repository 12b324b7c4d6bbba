"""A record survives writing and reading; a document that is not a valid record is refused."""

import copy
import json
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.errors import RecordError, WriteError
from bench.record import (
    Record,
    TrialModel,
    digest,
    read_record,
    read_strict_json,
    record,
    seal,
    unexplained_nulls,
    write_record,
)
from bench.record.record import MEASURED
from bench.spec import AccuracyPlan, Cell, Execution, TimingPlan, Trial
from tests.strategies import any_run, some

ROOT = Path(__file__).parent.parent.parent.parent
SCHEMA = ROOT / "bench" / "record" / "record.schema.json"
CELL = Cell(
    workload="mlp-512",
    backend="pytorch",
    execution=Execution(device="cpu", batch_size=128, threads=2),
)
TIMING = Trial(
    kind="timing",
    cell=CELL,
    seed=1,
    round=0,
    position=2,
    timing=TimingPlan(
        window_blocks=10,
        blocks=12,
        steps_per_block=32,
        native_steps=469,
        native_slices=3,
        tutorial_steps=100,
    ),
)
ACCURACY = Trial(kind="accuracy", cell=CELL, seed=7, accuracy=AccuracyPlan(epochs=1))
PARITY = Trial(kind="parity", cell=CELL, seed=0)

ENVIRONMENT = {
    "host_sha256": "0" * 64,
    "system": "Linux 6.1",
    "machine": "x86_64",
    "cpu": "A processor",
    "cores_physical": None,
    "cores_logical": 2,
    "memory_bytes": 8 * 2**30,
    "gpus": [{"name": "A card", "memory_bytes": 2**34, "driver": "570.1"}],
    "python": "3.12.1",
    "samestep": "0.1.0",
    "versions": {"torch": "2.13.0", "numpy": "2.4.6"},
    "variables": {"OMP_NUM_THREADS": "2"},
}
PARTS = {
    "parity": {
        "rungs": [
            {"rung": "forward", "measured": 7e-7, "gate": 1e-5, "passed": True, "where": None}
        ],
        "certificate_sha256": None,
    },
    "parameters": {
        "total": 407_050,
        "layers": [
            {"name": "dense_0", "kind": "dense", "output_shape": [512], "count": 401_920},
            {"name": "dense_1", "kind": "dense", "output_shape": [10], "count": 5_130},
        ],
    },
    "settings": {
        "requested": {"precision": "float32", "threads": 2},
        "effective": {"tf32": False, "threads": 2, "scale": 1.0, "layout": None},
    },
    "lanes": {
        "step": {"block_seconds": [0.101, 0.102], "steps_per_block": 32, "batch_size": 128},
        "native": {
            "slice_seconds": [1.5],
            "steps_per_slice": 469,
            "short_slice_seconds": [0.8],
            "steps_per_short_slice": 235,
            "batch_size": 128,
        },
        "latency": {"step_seconds": [0.0031, 0.0032], "batch_size": 128},
        "tutorial": {"slice_seconds": [0.9], "steps_per_slice": 100, "batch_size": 128},
    },
    "accuracy": {
        "train_images": 60_000,
        "epochs": [
            {
                "epoch": 1,
                "train_loss": 0.26,
                "train_accuracy": 0.92,
                "test_loss": 0.13,
                "test_accuracy": 0.96,
                "seconds": 1.9,
            }
        ],
        "final_train_loss": 0.1,
        "final_train_accuracy": 0.97,
        "final_test_loss": 0.13,
        "final_test_accuracy": 0.96,
        "predicted": [7, 2, 1],
        "confidence": [0.99, 1.0, 0.5],
        "inference": {"batch_size": 32, "images": 10_000, "seconds": [0.2]},
    },
    "contention": {
        "wall_seconds": 10.0,
        "worker_cpu_seconds": 19.5,
        "other_cpu_seconds": 0.2,
        "steal_seconds": 0.0,
    },
}
KEPT = {
    "timing": ("parity", "parameters", "settings", "lanes", "contention"),
    "accuracy": ("parity", "parameters", "settings", "accuracy", "contention"),
    "parity": ("parity", "parameters", "settings", "contention"),
}


def document(trial=TIMING, **changes):
    """Return a record of this trial without its hash."""
    kept = KEPT[trial.kind]
    reasons = {name: f"not part of a {trial.kind} trial" for name in PARTS if name not in kept}
    return copy.deepcopy(
        {
            "schema_version": 1,
            "run_id": "2025-01-01-smoke",
            "trial": TrialModel.of(trial).model_dump(),
            "status": "ok",
            "reason": None,
            "flags": ["contended"],
            **{name: part if name in kept else None for name, part in PARTS.items()},
            "timings": {"import_seconds": 1.25, "total_seconds": 9},
            "memory": {"peak_rss_bytes": 2**29, "peak_device_bytes": None},
            "environment": ENVIRONMENT,
            "null_reasons": {
                **reasons,
                "timings": "phases that the trial does not have",
                "memory.peak_device_bytes": "the framework keeps no count on a CPU",
            },
            **changes,
        }
    )


def write(tmp_path, **changes):
    path = tmp_path / "record.json"
    write_record(seal(document(**changes)), path)
    return path


def change(source, path, value):
    """Set the value at a dotted path, as a worker or an edit of the file might."""
    *parents, last = path.split(".")
    for name in parents:
        source = source[int(name) if isinstance(source, list) else name]
    source[last] = value


def assert_refused(call, *parts):
    with pytest.raises(RecordError) as error:
        call()
    message = str(error.value)
    assert "\n" not in message
    for part in parts:
        assert part in message


# round trips


@pytest.mark.parametrize("trial", [TIMING, ACCURACY, PARITY], ids=lambda trial: trial.kind)
def test_a_record_is_read_as_it_was_written(tmp_path, trial):
    path = write(tmp_path, trial=trial)
    again = read_record(path)
    assert again == seal(document(trial))
    assert again.trial.trial() == trial
    assert list(tmp_path.iterdir()) == [path]


@some(5)
@given(any_run())
def test_any_record_is_read_and_written_again_byte_for_byte(drawn):
    with TemporaryDirectory() as folder:
        path = Path(folder) / "record.json"
        for record in drawn.records:
            write_record(record, path)
            content = path.read_bytes()
            again = read_record(path)
            assert again == record
            write_record(again, path)
            assert path.read_bytes() == content


def test_values_keep_their_types(tmp_path):
    effective = read_record(write(tmp_path)).settings.effective
    assert [(value, type(value)) for value in effective.values()] == [
        (False, bool),
        (2, int),
        (1.0, float),
        (None, type(None)),
    ]


@given(st.floats(min_value=1e-300, max_value=1e300))
def test_a_sample_keeps_every_digit(seconds):
    source = document()
    change(source, "lanes.latency.step_seconds", [seconds])
    sealed = seal(source)
    again = Record.model_validate(json.loads(json.dumps(sealed.model_dump())))
    assert again.lanes.latency.step_seconds == [seconds]
    assert digest(again.model_dump()) == sealed.sha256


def test_the_hash_does_not_depend_on_the_order_of_keys():
    source = document()
    assert seal(dict(reversed(source.items()))).sha256 == seal(source).sha256
    assert seal({**source, "sha256": "whatever"}).sha256 == seal(source).sha256


def test_a_record_that_cannot_be_written_is_an_error(tmp_path):
    (tmp_path / "records").write_bytes(b"")
    with pytest.raises(WriteError):
        write_record(seal(document()), tmp_path / "records" / "record.json")


# documents that are not records


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("lanes.step.block_seconds", [0.1, float("nan")]),
        ("lanes.latency.step_seconds", [float("inf")]),
        ("timings.total_seconds", float("nan")),
        ("settings.effective.scale", float("nan")),
        ("parity.rungs.0.measured", float("inf")),
    ],
)
def test_a_number_that_is_not_finite_is_refused(path, value):
    source = document()
    change(source, path, value)
    assert_refused(lambda: seal(source), f"not a record: {path}")


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("lanes.step.block_seconds", []),
        ("lanes.step.block_seconds", [0.0]),
        ("lanes.step.block_seconds", [-0.1]),
        ("lanes.step.block_seconds", ["0.1"]),
        ("lanes.step.steps_per_block", 0),
        ("lanes.step.steps_per_block", 32.0),
        ("lanes.step.steps_per_block", True),
        ("timings.total_seconds", -1.0),
        ("status", "fine"),
        ("trial.kind", "guess"),
        ("flags", "contended"),
        ("run_id", None),
    ],
)
def test_values_out_of_range_and_wrong_types_are_refused(path, value):
    source = document()
    change(source, path, value)
    assert_refused(lambda: seal(source), f"not a record: {path}")


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("accuracy.final_test_accuracy", 1.01),
        ("accuracy.predicted", [7, 2, 10]),
        ("accuracy.confidence", [0.5, 0.5, -0.5]),
        ("accuracy.epochs.0.train_loss", -0.1),
        ("accuracy.confidence", [0.5, 0.5]),
    ],
)
def test_accuracy_out_of_range_is_refused(path, value):
    source = document(ACCURACY)
    change(source, path, value)
    assert_refused(lambda: seal(source), "not a record: accuracy")


@pytest.mark.parametrize("path", ["note", "trial.note", "lanes.step.note", "environment.note"])
def test_unknown_keys_are_refused(path):
    source = document()
    change(source, path, "")
    assert_refused(lambda: seal(source), f"not a record: {path}", "not permitted")


REQUIRED = {name for name, field in Record.model_fields.items() if field.is_required()}


@pytest.mark.parametrize("name", sorted(REQUIRED - {"sha256"}))
def test_missing_keys_are_refused(name):
    source = document()
    del source[name]
    assert_refused(lambda: seal(source), f"not a record: {name}", "required")


@pytest.mark.parametrize("version", [0, 2, "1", None])
def test_other_schema_versions_are_refused(tmp_path, version):
    path = write(tmp_path)
    source = json.loads(path.read_text())
    path.write_text(json.dumps({**source, "schema_version": version, "new_in_2": []}))
    assert_refused(lambda: read_record(path), "record.json is not a record: schema_version")


# nulls, reasons and status


@pytest.mark.parametrize(
    "path", ["parity", "lanes", "lanes.native", "contention.steal_seconds", "memory.peak_rss_bytes"]
)
def test_a_null_needs_its_reason(path):
    source = document()
    change(source, path, None)
    assert_refused(lambda: seal(source), "null without a reason", f"['{path}']")
    source["null_reasons"][path] = "there is a reason"
    assert seal(source).null_reasons[path] == "there is a reason"


def test_a_missing_phase_needs_its_reason():
    source = document()
    del source["null_reasons"]["timings"]
    assert_refused(lambda: seal(source), "'timings.spawn_seconds'", "'timings.warmup_seconds'")


def test_nulls_of_parts_need_reasons_but_not_those_of_settings():
    nulls = dict.fromkeys(MEASURED)
    # records of early versions have no part `gpu`
    assert set(unexplained_nulls(nulls, {})) == set(MEASURED) - {"gpu"}
    assert "gpu.clock" in unexplained_nulls({**nulls, "gpu": {"clock": None}}, {})
    partial = {**nulls, "settings": {"effective": {"layout": None}}, "memory": {"peak": None}}
    reasons = dict.fromkeys(nulls.keys() - {"settings", "memory"}, "a reason")
    assert list(unexplained_nulls(partial, reasons)) == ["memory.peak"]


def test_every_status_except_ok_needs_a_reason():
    assert_refused(lambda: seal(document(reason="why")), "Received: ok, 'why'")
    assert_refused(lambda: seal(document(status="failed")), "Received: failed, None")
    assert seal(document(status="killed", reason="signal 9")).status == "killed"


def test_a_trial_that_never_started_has_a_record():
    parts = dict.fromkeys(PARTS)
    reasons = dict.fromkeys([*PARTS, "timings", "memory"], "the interpreter is missing")
    sealed = seal(
        document(
            **parts, status="unavailable", reason="no interpreter", timings={}, null_reasons=reasons
        )
    )
    assert sealed.timings.total_seconds is None


# files that were changed


def test_an_altered_digit_is_refused(tmp_path):
    path = write(tmp_path)
    text = path.read_text()
    assert text.count("0.101") == 1
    path.write_text(text.replace("0.101", "0.100"))
    assert_refused(
        lambda: read_record(path),
        "record.json was changed after it was written. Expected sha256: ",
        f"Received: {json.loads(text)['sha256']}",
        "run again with --resume",
    )


def test_a_reformatted_record_is_accepted(tmp_path):
    path = write(tmp_path)
    before = read_record(path)
    path.write_text(json.dumps(json.loads(path.read_text()), indent=4, sort_keys=True))
    assert read_record(path) == before


@pytest.mark.parametrize(
    ("content", "part"),
    [
        (b"", "not strict JSON"),
        (b'{"schema_version": 1', "not strict JSON"),
        (b'{"a": NaN}', "Expected: finite numbers. Received: NaN"),
        (b'{"a": [-Infinity]}', "Expected: finite numbers. Received: -Infinity"),
        (b'{"a": 1, "a": 2}', "a duplicate key"),
        (b'{"b": {"a": 1, "a": 1}}', "a duplicate key"),
        (b"\xff\xfe", "not strict JSON"),
        (b"[" * 100_000, "not strict JSON"),
        (b"9" * 5_000, "not strict JSON"),
        (b'{"a": -' + b"9" * 20 + b"}", "numbers of 64 bits. Received: one of 21 digits"),
        (b'{"a": "\\uD800"}', "surrogates not allowed"),
        (b'{"\\udfff": 1}', "surrogates not allowed"),
        (b"[]", "record.json is not a record: document"),
        (b"null", "record.json is not a record: document"),
        (b"{}", "record.json is not a record: schema_version"),
    ],
)
def test_files_that_hold_no_record_are_refused(tmp_path, content, part):
    path = tmp_path / "record.json"
    path.write_bytes(content)
    assert_refused(lambda: read_record(path), "record.json", part)


def test_a_duplicate_key_in_a_record_is_refused(tmp_path):
    path = write(tmp_path)
    path.write_text(path.read_text().replace("{", '{"run_id":"2025-01-01-smoke",', 1))
    assert_refused(lambda: read_record(path), "a duplicate key")


def test_an_infinity_that_is_spelled_as_a_number_is_refused(tmp_path):
    path = write(tmp_path)
    path.write_text(path.read_text().replace("0.101", "1e999"))
    assert_refused(lambda: read_record(path), "lanes.step.block_seconds.0", "finite")


def test_a_record_that_is_too_large_is_refused(tmp_path, monkeypatch):
    path = write(tmp_path)
    monkeypatch.setattr(record, "LARGEST_JSON_BYTES", path.stat().st_size)
    read_record(path)
    monkeypatch.setattr(record, "LARGEST_JSON_BYTES", path.stat().st_size - 1)
    assert_refused(lambda: read_record(path), "record.json is too large. Expected: at most")


def test_missing_files_and_folders_are_refused(tmp_path):
    assert_refused(lambda: read_strict_json(tmp_path / "none.json"), "cannot read", "none.json")
    assert_refused(lambda: read_strict_json(tmp_path), "cannot read", str(tmp_path))


def test_a_long_name_is_shortened_in_the_error(tmp_path):
    path = tmp_path / "record.json"
    document = {**json.loads(write(tmp_path).read_bytes()), "k" * 10_000: 1}
    path.write_text(json.dumps(document), encoding="utf-8")
    with pytest.raises(RecordError, match="Extra inputs") as error:
        read_record(path)
    assert len(str(error.value)) < 300


# the committed schema


def test_the_committed_schema_is_the_one_of_the_models():
    committed = json.loads(SCHEMA.read_text(encoding="utf-8"))
    assert committed == Record.model_json_schema(), (
        "bench/record/record.schema.json is out of date: python -m bench.record > "
        "bench/record/record.schema.json, and count SCHEMA_VERSION up if old records no longer pass"
    )


def test_the_schema_is_made_by_the_command_that_the_message_names():
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "bench.record"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    assert done.stdout == SCHEMA.read_bytes()
    assert done.stderr == b""


@pytest.mark.parametrize("trial", [TIMING, ACCURACY, PARITY], ids=lambda trial: trial.kind)
def test_a_record_passes_the_schema(tmp_path, trial):
    path = write(tmp_path, trial=trial)
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    jsonschema_rs.meta.validate(schema)
    validator = jsonschema_rs.Draft202012Validator(schema)
    source = json.loads(path.read_text())
    validator.validate(source)
    assert not validator.is_valid({**source, "note": ""})
    assert not validator.is_valid({**source, "schema_version": 2})
