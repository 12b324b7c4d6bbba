"""`samestep parity` with the real frameworks: both precisions, and arrays that NumPy checks."""

import json
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from backends import BACKENDS

pytestmark = pytest.mark.framework


@pytest.fixture(scope="module")
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run the command for one workload in every backend; return the folder of its files."""
    interpreters = request.config.getoption("--python")
    assert interpreters, "name the interpreters with --python BACKEND=PATH, as `nox -s tests` does"
    folder = tmp_path_factory.mktemp("parity")
    command = [
        *(sys.executable, "-m", "bench", "parity", "--workload", "mlp-256-256-128-64"),
        *("--backend", "all", "--device", "cpu", "--json", "--out", str(folder / "run")),
        *("--junit", str(folder / "parity.xml"), "--dump", str(folder / "dump")),
        *(f"--python={pair}" for pair in interpreters),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=900)
    assert done.returncode == 0, done.stderr
    (folder / "answer.json").write_text(done.stdout, encoding="utf-8")
    return folder


def test_every_certificate_holds(folder: Path) -> None:
    certificates = json.loads((folder / "answer.json").read_text("utf-8"))["certificates"]
    assert len(certificates) == 2 * len(BACKENDS)
    for certificate in certificates:
        assert certificate["status"] == "ok", certificate["reason"]
        names = {rung["rung"] for rung in certificate["rungs"]}
        assert {"data", "forward", "gradient", "update", "fit", "trajectory"} <= names
        assert all(rung["passed"] for rung in certificate["rungs"])
        if certificate["precision"] == "float64":
            (trajectory,) = (rung for rung in certificate["rungs"] if rung["rung"] == "trajectory")
            assert trajectory["gate"] == 1e-11
            assert "of 500" in trajectory["where"]


def test_the_junit_file_has_a_suite_per_certificate(folder: Path) -> None:
    suites = ElementTree.parse(folder / "parity.xml").getroot().findall("testsuite")
    assert len(suites) == 2 * len(BACKENDS)
    assert {suite.get("failures") for suite in suites} == {"0"}


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_arrays_equal_those_computed_by_plain_numpy(folder: Path, backend: str) -> None:
    """The computation has RMSprop with epsilon inside the root."""
    place = folder / "dump" / "mlp-256-256-128-64" / backend
    weights, batch, out = (
        np.load(place / f"{n}.npz", allow_pickle=False) for n in ("weights", "batch", "out")
    )
    layers = range(5)
    values = [batch["x"]]
    for n in layers:
        z = values[-1] @ weights[f"dense_{n}/kernel"] + weights[f"dense_{n}/bias"]
        values.append(np.maximum(z, 0) if n < 4 else z)
    np.testing.assert_allclose(out["logits"], values[-1], atol=1e-13)
    shares = np.exp(values[-1]) / np.exp(values[-1]).sum(axis=1, keepdims=True)
    truth = np.eye(10)[batch["y"]]
    assert out["loss"] == pytest.approx(-np.log((shares * truth).sum(axis=1)).mean(), rel=1e-13)
    back = (shares - truth) / len(truth)
    for n in reversed(layers):
        gradient = values[n].T @ back
        np.testing.assert_allclose(out[f"grad:dense_{n}/kernel"], gradient, atol=1e-13)
        step = 0.001 * gradient / np.sqrt(0.1 * gradient**2 + 1e-7)
        after = weights[f"dense_{n}/kernel"] - step
        np.testing.assert_allclose(out[f"w1:dense_{n}/kernel"], after, atol=1e-13)
        back = (back @ weights[f"dense_{n}/kernel"].T) * (values[n] > 0)
