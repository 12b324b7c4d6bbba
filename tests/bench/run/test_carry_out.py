"""The call for Python users plans, runs and resumes, and neither prints nor exits."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bench import mnist
from bench.errors import LockedError, RecordError, UsageError
from bench.machine import look
from bench.machine.lock import MACHINE, hold, holder
from bench.record.preflight import SeenModel
from bench.record.run import read_run
from bench.record.stored import read_records
from bench.run import process
from bench.run.carry_out import carry_out, certify, exit_code
from bench.run.progress import Display
from tests.bench.machine.test_doctor import look_result
from tests.bench.run.test_runner import request_for


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch, data: mnist.Mnist) -> None:
    monkeypatch.setattr(mnist, "load", lambda: data)
    monkeypatch.setattr(process, "LEAVE_SECONDS", 0.05)
    monkeypatch.setattr(look, "look", lambda *arguments: look_result(gpus=[], lock_holders=None))


def test_a_run_is_one_call_that_prints_nothing(tmp_path, capfd):
    request, folder = request_for("fake"), tmp_path / "run"
    run = carry_out(request, folder)
    records = list(read_records(folder, run))
    assert [record.status for record in records] == ["ok"] * len(run.trials)
    assert [session.outcome for session in run.sessions] == ["complete"]
    assert run.sessions[0].preflight.verdict == "fit"
    assert exit_code(records, len(run.trials), set()) == 0
    assert capfd.readouterr() == ("", "")
    # a resumed run that is complete has nothing left to run
    again = carry_out(request, folder, resume=True)
    assert again.trials == run.trials
    assert [session.outcome for session in again.sessions] == ["complete"] * 2
    assert again == read_run(folder)


def test_parity_is_one_call_that_prints_nothing(tmp_path, capfd):
    run = certify(request_for("fake"), tmp_path / "run")
    assert [record.status for record in read_records(tmp_path / "run", run)] == ["ok"]
    assert {trial.kind for trial in run.trials} == {"parity"}
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("call", [carry_out, certify])
def test_the_call_holds_the_machine(tmp_path, call):
    holders: list[Any] = []

    class HolderDisplay(Display):
        def piloting(self, backend: str, device: str) -> None:
            holders.append(holder(MACHINE))
            raise KeyboardInterrupt

    assert call(request_for("fake"), tmp_path / "run", display=HolderDisplay()) is None
    assert f" in {tmp_path / 'run'}, pid " in holders[0]
    assert holder(MACHINE) is None


@pytest.mark.parametrize("call", [carry_out, certify])
def test_the_call_refuses_a_machine_that_another_run_holds(tmp_path, call):
    with hold(MACHINE, purpose="another run"), pytest.raises(LockedError, match="another run"):
        call(request_for("fake"), tmp_path / "run")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("call", [carry_out, certify])
def test_the_call_refuses_a_folder_in_use(tmp_path, call):
    (tmp_path / "notes").write_text("mine")
    with pytest.raises(UsageError, match="is in use"):
        call(request_for("fake"), tmp_path)


def test_only_a_run_can_be_resumed(tmp_path):
    with pytest.raises(RecordError):
        carry_out(request_for("fake"), tmp_path, resume=True)


def test_an_interrupted_look_starts_nothing(tmp_path, monkeypatch):
    def interrupt(*arguments: Any) -> SeenModel:
        raise KeyboardInterrupt

    monkeypatch.setattr(look, "look", interrupt)
    assert carry_out(request_for("fake"), tmp_path / "run") is None
    assert not (tmp_path / "run").exists()


def test_the_call_needs_no_terminal():
    program = "import sys, bench.run.carry_out; sys.exit('rich' in sys.modules)"
    root = Path(__file__).parent.parent.parent.parent
    subprocess.run([sys.executable, "-c", program], cwd=root, check=True, timeout=60)
