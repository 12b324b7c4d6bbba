"""Cells that can't run on a GPU, found out before anything is tried on it."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from backends import Place
from bench import mnist
from bench.cli import parity
from bench.profiles import Profile
from bench.record import Record
from bench.record.run import RunModel
from bench.record.stored import read_records
from bench.run import planner, process
from bench.run.planner import Planner
from bench.run.request import Request
from bench.workloads import MLP_512
from tests.fakes.machines import (
    COMPILING,
    FITTING,
    HOPPER,
    OLD,
    TOO_NEW,
    WITHOUT_CUDA,
    asked,
    telling,
)

NAME = "pytorch"


@dataclass
class Heard:
    """A display that keeps what was looked at and what ended."""

    piloted: list[str] = field(default_factory=list)
    records: list[Record] = field(default_factory=list)

    def piloting(self, backend: str, device: str) -> None:
        self.piloted.append(device)

    def ended(self, record: Record) -> None:
        self.records.append(record)


@pytest.fixture(autouse=True)
def _one_gpu(data: mnist.Mnist, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(mnist, "load", lambda: data)
    monkeypatch.setattr(process, "LEAVE_SECONDS", 0.05)
    monkeypatch.setattr(planner, "visible_gpus", lambda: [HOPPER])
    return


def request_for(folder: Path, told: dict[str, Any], *devices: str, status: str) -> Request:
    request = Request(
        workloads=[MLP_512],
        backends=(NAME,),
        devices=devices or ("cpu", "cuda:0"),
        profile=Profile(name="smoke", rounds=1),
        interpreters={},
        places={NAME: Place(adapter="none", environment="none")},
    )
    labels = {device: request.cells(NAME, device)[0].label for device in request.devices}
    interpreter = telling(folder, told, labels=labels, status=status)
    return replace(request, interpreters={NAME: interpreter})


def planned(
    folder: Path, told: dict[str, Any], *devices: str, status: str = "failed"
) -> tuple[RunModel, Heard, dict[str, Record]]:
    heard = Heard()
    request = request_for(folder, told, *devices, status=status)
    run = Planner(request, folder / "run", folder, heard).new_run()
    return run, heard, {one.trial.execution.device: one for one in heard.records}


@pytest.mark.parametrize(
    ("told", "status", "reason"),
    [
        (OLD, "unsupported", "unsupported architecture. Expected: one of sm_70, sm_80, "),
        (TOO_NEW, "unsupported", "driver too old. Expected: one for CUDA 13, "),
        (WITHOUT_CUDA, "unavailable", "made without CUDA. Expected: cuda:0 among its devices. "),
    ],
    ids=["old", "too new", "without CUDA"],
)
def test_what_can_not_work_is_not_tried(tmp_path, told, status, reason):
    run, heard, records = planned(tmp_path, told)
    # the pilot on the CPU has told enough
    assert asked(tmp_path) == ["cpu"]
    assert heard.piloted == ["cpu"]
    assert (records["cuda:0"].status, records["cpu"].status) == (status, "failed")
    assert records["cuda:0"].reason.startswith(reason)
    assert run.backends[NAME].architectures == told["architectures"]
    assert run.backends[NAME].unavailable is None
    # the record is on disk, and the report reads it
    assert len(list(read_records(tmp_path / "run", run))) == 2


def test_where_no_pilot_came_before_a_look_without_cells_does(tmp_path):
    _, heard, records = planned(tmp_path, OLD, "cuda:0")
    assert asked(tmp_path) == ["nothing"]
    assert heard.piloted == ["versions"]
    assert records["cuda:0"].status == "unsupported"


@pytest.mark.parametrize("told", [FITTING, COMPILING], ids=["fitting", "compiling"])
def test_what_may_work_is_tried(tmp_path, told):
    planned(tmp_path, told, "cuda:0", status="timed_out")
    assert asked(tmp_path) == ["nothing", "cuda:0"]


def test_what_failed_as_was_feared_says_so(tmp_path):
    _, _, records = planned(tmp_path, COMPILING, status="timed_out")
    doubt = "no kernels for sm_90 (NVIDIA H100, compute capability 9.0): the driver has to compile "
    assert records["cuda:0"].reason.startswith(f"as the test wants (pilot); {doubt}")
    # nothing of this is about the CPU
    assert records["cpu"].reason == "as the test wants (pilot)"


def test_what_the_backend_itself_refuses_has_its_own_reason_alone(tmp_path):
    _, _, records = planned(tmp_path, COMPILING, "cuda:0", status="unsupported")
    assert records["cuda:0"].reason == "as the test wants (pilot)"


def test_a_driver_that_tells_nothing_stops_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(planner, "visible_gpus", lambda: [])
    planned(tmp_path, OLD, "cuda:0")
    assert asked(tmp_path) == ["cuda:0"]


def test_a_backend_that_is_not_there_is_asked_and_unavailable(tmp_path):
    request = replace(
        request_for(tmp_path, FITTING, "cuda:0", status="ok"), interpreters={NAME: "/nowhere"}
    )
    heard = Heard()
    run = Planner(request, tmp_path / "run", tmp_path, heard).new_run()
    assert [record.status for record in heard.records] == ["unavailable"]
    assert run.backends[NAME].unavailable.startswith("cannot start /nowhere")


def test_a_certificate_is_not_tried_for_what_can_not_work(tmp_path):
    heard = Heard()
    profile = parity.parity_profile(["float32"], dumping=False)
    request = replace(request_for(tmp_path, OLD, status="ok"), profile=profile)
    run = Planner(request, tmp_path / "run", tmp_path, heard).parity_run()
    # one look tells of the backend on every device
    assert asked(tmp_path) == ["nothing"]
    assert [(record.status, record.trial.execution.device) for record in heard.records] == [
        ("unsupported", "cuda:0")
    ]
    assert {one.execution.device for one in run.trials if one.kind == "parity"} == {"cpu"}
