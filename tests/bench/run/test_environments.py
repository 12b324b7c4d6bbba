"""Workers report what their environments have, and the doctor shows it."""

import json
import re
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from backends import BACKENDS
from bench.cli import doctor_environments
from bench.machine import doctor, nvml
from bench.machine.lock import MACHINE, hold
from bench.run import environments, process
from bench.run.environments import Installed, look_at
from bench.run.outcome import Outcome
from bench.run.progress import Display
from bench.run.request import Request
from bench.run.scratch import sweep
from tests.bench.run.test_runner import request_for
from tests.fakes.machines import (
    COMPILING,
    FITTING,
    HOPPER,
    OLD,
    WITHOUT_CUDA,
    requested_devices,
    write_reporter,
)
from tests.fakes.scripts import write_script


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "LEAVE_SECONDS", 0.05)


def look_at_all(request: Request, *gpus: Any) -> list[Installed]:
    return list(look_at(request, gpus, Display()))


def look_at_reporter(folder: Path, report: dict[str, Any], *gpus: Any) -> Installed:
    request = replace(request_for("fake"), interpreters={"fake": write_reporter(folder, report)})
    (installed,) = look_at_all(request, *gpus)
    return installed


def test_a_worker_reports_what_its_interpreter_has():
    (installed,) = look_at_all(request_for("fake"))
    assert installed.python == sys.version.split()[0]
    assert installed.interpreter == sys.executable
    assert installed.found.versions["fake"] == "1.0"
    assert installed.found.architectures == ["sm_90", "compute_90"]
    assert {device: how.verdict for device, how in installed.usable.items()} == {"cpu": "ok"}
    assert installed.good


def test_a_backend_that_does_not_import_is_unavailable_and_the_others_are_looked_at():
    missing, nowhere, fake = look_at_all(request_for("fake-missing", "nowhere", "fake"))
    assert missing.unavailable.startswith("fake-missing does not import: ModuleNotFoundError")
    assert missing.python == sys.version.split()[0]
    assert nowhere.unavailable.startswith("cannot start /nowhere/python")
    assert nowhere.python is None
    assert not missing.usable
    assert not missing.good
    assert fake.good


def test_the_folder_of_the_logs_stays_until_the_end(monkeypatch):
    """Another run that starts meanwhile removes every scratch folder that no process holds."""
    seen = []

    def look(self, backend, cells):
        sweep()
        seen.append(self._folder)
        assert self._folder.is_dir()
        return Outcome(status="failed", reason="not looked at", result=None)

    monkeypatch.setattr(environments.Workers, "look", look)
    look_at_all(request_for("fake"))
    assert seen
    assert not seen[0].exists()


def test_an_interpreter_without_numpy_says_which_module_it_lacks(tmp_path):
    body = "print('ModuleNotFoundError: No module named numpy\\n', file=sys.stderr)\nsys.exit(1)"
    request = replace(
        request_for("fake"), interpreters={"fake": write_script(tmp_path, "bare", body)}
    )
    (installed,) = look_at_all(request)
    assert installed.unavailable == (
        "exit status 1 without a result: ModuleNotFoundError: No module named numpy"
    )


@pytest.mark.parametrize(
    ("report", "verdict", "good"),
    [
        (FITTING, "ok", True),
        (COMPILING, "doubtful", True),
        (OLD, "unsupported", False),
        (WITHOUT_CUDA, "unavailable", False),
    ],
    ids=["fitting", "compiling", "old", "without CUDA"],
)
def test_each_gpu_has_a_verdict(tmp_path, report, verdict, good):
    installed = look_at_reporter(tmp_path, report, HOPPER)
    assert {device: how.verdict for device, how in installed.usable.items()} == {
        "cpu": "ok", "cuda:0": verdict,
    }  # fmt: skip
    assert installed.good is good


def test_the_tables_show_what_is_installed_and_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")
    fitting = replace(look_at_reporter(tmp_path, FITTING, HOPPER), backend="pytorch")
    bare = look_at_reporter(tmp_path, WITHOUT_CUDA, HOPPER)
    bare = replace(bare, backend="keras-tensorflow", environment="tensorflow")
    (missing,) = look_at_all(request_for("fake-missing"), HOPPER)
    missing = replace(missing, backend="jax", environment="jax", interpreter="/a/python")
    text = doctor_environments.as_text([fitting, bare, missing], [HOPPER])
    assert re.search(
        r"^pytorch +3\.11\.9 +torch 2\.9 +cpu, cuda:0 +12\.8 +sm_80, sm_90$", text, re.M
    )
    assert re.search(r"^keras-tensorflow +3\.11\.9 +tensorflow 2\.21 +cpu +none +none$", text, re.M)
    assert f"pytorch, keras-tensorflow: {fitting.interpreter}\njax: /a/python\n" in text
    assert (
        "cuda:0: NVIDIA H100, GPU-1a2b, compute capability 9.0, a driver for CUDA up to 12.8\n"
    ) in text
    assert re.search(r"^pytorch +cuda:0 +ok$", text, re.M)
    assert re.search(r"^keras-tensorflow +cuda:0 +unavailable +made without CUDA", text, re.M)
    assert re.search(r"^jax +all +unavailable +fake-missing does not import", text, re.M)
    words = " ".join(text.split())
    assert "Remove .nox/tensorflow" in words
    assert "nox -s jax makes its" in words
    assert "No NVIDIA GPU" not in text
    assert "No NVIDIA GPU was found." in doctor_environments.as_text([fitting], [])


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Set up a machine with a GPU; return the folder of its worker's answers."""
    monkeypatch.setattr(nvml, "visible_gpus", lambda: [HOPPER])
    return tmp_path


def run_doctor(samestep: Any, *arguments: str) -> tuple[int, dict[str, Any], str]:
    code, out, err = samestep("doctor", "--seconds", "0.01", "--json", *arguments)
    return code, json.loads(out), err


def test_the_doctor_looks_at_the_selected_environments(samestep, machine, monkeypatch):
    monkeypatch.setattr(doctor, "worst_verdict", lambda verdicts: "fit")
    python = f"pytorch={write_reporter(machine, FITTING)}"
    code, answer, err = run_doctor(samestep, "--backend", "pytorch", "--python", python)
    assert code == 0
    assert "looking at pytorch (environment)\n" in err
    assert answer["verdict"] == "fit"
    assert answer["environments"]["gpus"] == [
        {"device": "cuda:0", "name": "NVIDIA H100", "uuid": "GPU-1a2b", "capability": [9, 0],
         "driver_cuda": [12, 8]},
    ]  # fmt: skip
    (backend,) = answer["environments"]["backends"]
    assert backend == {
        "backend": "pytorch",
        "environment": "pytorch",
        "interpreter": python.partition("=")[2],
        "python": "3.11.9",
        "versions": {"torch": "2.9", "cuda": "12.8"},
        "devices": ["cpu", "cuda:0"],
        "unavailable": None,
        "architectures": ["sm_80", "sm_90"],
        "usable": {
            "cpu": {"verdict": "ok", "reason": None},
            "cuda:0": {"verdict": "ok", "reason": None},
        },
        "advice": [],
    }


def test_a_selected_backend_that_can_not_be_used_is_exit_code_1(samestep, machine, monkeypatch):
    monkeypatch.setattr(doctor, "worst_verdict", lambda verdicts: "fit")
    python = ("--python", f"pytorch={write_reporter(machine, OLD)}")
    code, answer, _ = run_doctor(samestep, "--backend", "pytorch", *python)
    assert code == 1
    assert answer["environments"]["backends"][0]["advice"] == [
        "--python pytorch=PATH names another environment"
    ]
    # backends that were not selected are only shown
    everything = [f"--python={name}={write_reporter(machine, OLD)}" for name in BACKENDS]
    code, answer, _ = run_doctor(samestep, "--environments", *everything)
    assert code == 0
    backends = [backend["backend"] for backend in answer["environments"]["backends"]]
    assert backends == list(BACKENDS)


def test_the_doctor_without_options_starts_no_worker(samestep, machine):
    _, answer, _ = run_doctor(samestep)
    assert "environments" not in answer


def test_the_doctor_starts_no_worker_during_a_run(samestep, machine):
    python = f"pytorch={write_reporter(machine, FITTING)}"
    with hold(MACHINE, purpose="samestep run in /a/folder"):
        code, out, err = samestep("doctor", "--seconds", "0.01", "--python", python)
    assert (code, out) == (75, "")
    assert "samestep run in /a/folder" in err
    assert requested_devices(machine) == []


def test_the_doctor_shows_both_tables(samestep, machine, monkeypatch):
    monkeypatch.setattr(doctor, "worst_verdict", lambda verdicts: "fit")
    python = f"pytorch={write_reporter(machine, OLD)}"
    monkeypatch.setenv("COLUMNS", "400")
    arguments = ("--seconds", "0.01", "--backend", "pytorch", "--python", python)
    code, out, _ = samestep("doctor", *arguments)
    assert code == 1
    assert out.index("This machine is fit to be measured on.") < out.index("kernels for")
    assert re.search(r"^pytorch +cuda:0 +unsupported +unsupported architecture\. ", out, re.M)


@pytest.mark.parametrize("width", [30, 60, 80, 100])
def test_no_line_of_the_tables_is_wider_than_the_terminal(tmp_path, monkeypatch, width):
    monkeypatch.setenv("COLUMNS", str(width))
    installed = look_at_reporter(tmp_path, OLD, HOPPER)
    first, rest = doctor_environments.as_text([installed], []).split("\n\n", 1)
    second = rest.partition("No NVIDIA")[2]
    assert max(map(len, (*first.splitlines(), *second.splitlines()))) <= max(width, 60)
    reason = installed.usable["cuda:0"].reason
    start = second.split("\n\n")[1].splitlines()[0].index("reason")
    words = " ".join(line[start:].strip() for line in second.splitlines())
    assert reason is not None
    assert reason in " ".join(words.split())
