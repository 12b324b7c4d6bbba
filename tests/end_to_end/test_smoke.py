"""A smoke run with the real frameworks, as a user would start it."""

import json
import subprocess
import sys
from importlib import resources
from pathlib import Path

import jsonschema_rs
import pytest

from backends import DEFAULT_BACKENDS
from bench.record.run import read_run
from bench.record.stored import read_records
from bench.workloads import WORKLOADS
from reports.text import alternatives

pytestmark = pytest.mark.framework


@pytest.fixture(scope="module")
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run the smallest and the largest workload with the profile smoke; return the folder."""
    interpreters = request.config.getoption("--python")
    assert interpreters, "name the interpreters with --python BACKEND=PATH, as `nox -s tests` does"
    folder = tmp_path_factory.mktemp("runs") / "smoke"
    command = [
        *(sys.executable, "-m", "bench", "run", "--profile", "smoke", "--json"),
        *("--workload", "mlp-256-256-128-64,cnn", "--device", "cpu", "--out", str(folder)),
        *(f"--python={pair}" for pair in interpreters),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=900)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["statuses"] == {"ok": 12}
    return folder


def test_every_record_is_ok_and_fits_the_committed_schema(folder: Path) -> None:
    schema = json.loads(
        resources.files("bench.record").joinpath("record.schema.json").read_text("utf-8")
    )
    validator = jsonschema_rs.Draft202012Validator(schema)
    run = read_run(folder)
    records = list(read_records(folder, run))
    assert len(records) == len(run.trials) == 12
    for record in records:
        assert record.status == "ok", record.reason
        validator.validate(json.loads(record.model_dump_json()))


def test_every_record_with_figures_names_its_certificate(folder: Path) -> None:
    records = list(read_records(folder, read_run(folder)))
    certificates = {
        (record.trial.workload, record.trial.backend): record.sha256
        for record in records
        if record.trial.kind == "parity"
    }
    assert len(certificates) == 4
    for record in records:
        assert record.parity is not None
        names = [rung.rung for rung in record.parity.rungs]
        assert "forward" in names
        if record.trial.kind != "parity":
            expected = certificates[record.trial.workload, record.trial.backend]
            assert record.parity.certificate_sha256 == expected


def test_every_backend_has_the_parameter_counts_of_the_workload(folder: Path) -> None:
    for record in read_records(folder, read_run(folder)):
        workload = WORKLOADS[record.trial.workload]
        assert record.parameters is not None
        assert record.parameters.total == workload.parameter_total
        counts = tuple(layer.count for layer in record.parameters.layers if layer.count)
        assert counts == workload.parameter_counts


def test_every_backend_learns_in_a_part_of_one_epoch(folder: Path) -> None:
    accuracies = {
        (record.trial.workload, record.trial.backend): record.accuracy.final_test_accuracy
        for record in read_records(folder, read_run(folder))
        if record.accuracy is not None
    }
    assert len(accuracies) == 2 * len(DEFAULT_BACKENDS)
    assert min(accuracies.values()) > 0.85, accuracies


def test_phases_add_up_to_the_total(folder: Path) -> None:
    for record in read_records(folder, read_run(folder)):
        phases = record.timings.model_dump(exclude={"total_seconds"})
        measured = sum(seconds for seconds in phases.values() if seconds is not None)
        assert measured == pytest.approx(record.timings.total_seconds, rel=0.05)


def test_the_report_has_its_figures(folder: Path) -> None:
    assert "not for citation" in (folder / "report.md").read_text("utf-8")
    text = "".join(page.read_text("utf-8") for page in folder.glob("*.md"))
    linked = set(alternatives(text))
    assert {"figures/card-light.svg", "figures/curves-cnn.png"} <= linked
    for name in linked:
        assert (folder / name).stat().st_size > 1_000
