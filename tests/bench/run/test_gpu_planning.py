"""Cells that can't run on a GPU are recognized before a worker tries them."""

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
    requested_devices,
    write_reporter,
)

NAME = "pytorch"


@dataclass
class CollectingDisplay:
    """A display that keeps the devices of the pilots and the records."""

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


def request_for(folder: Path, report: dict[str, Any], *devices: str, status: str) -> Request:
    request = Request(
        workloads=[MLP_512],
        backends=(NAME,),
        devices=devices or ("cpu", "cuda:0"),
        profile=Profile(name="smoke", rounds=1),
        interpreters={},
        places={NAME: Place(adapter="none", environment="none")},
    )
    labels = {device: request.cells(NAME, device)[0].label for device in request.devices}
    interpreter = write_reporter(folder, report, labels=labels, status=status)
    return replace(request, interpreters={NAME: interpreter})


def plan_run(
    folder: Path, report: dict[str, Any], *devices: str, status: str = "failed"
) -> tuple[RunModel, CollectingDisplay, dict[str, Record]]:
    display = CollectingDisplay()
    request = request_for(folder, report, *devices, status=status)
    run = Planner(request, folder / "run", folder, display).new_run()
    return run, display, {record.trial.execution.device: record for record in display.records}


@pytest.mark.parametrize(
    ("report", "status", "reason"),
    [
        (OLD, "unsupported", "unsupported architecture. Expected: one of sm_70, sm_80, "),
        (TOO_NEW, "unsupported", "driver too old. Expected: one for CUDA 13, "),
        (WITHOUT_CUDA, "unavailable", "made without CUDA. Expected: cuda:0 among its devices. "),
    ],
    ids=["old", "too new", "without CUDA"],
)
def test_a_cell_that_can_not_run_is_not_tried(tmp_path, report, status, reason):
    run, display, records = plan_run(tmp_path, report)
    # the report of the pilot on the CPU is enough
    assert requested_devices(tmp_path) == ["cpu"]
    assert display.piloted == ["cpu"]
    assert (records["cuda:0"].status, records["cpu"].status) == (status, "failed")
    assert records["cuda:0"].reason.startswith(reason)
    assert run.backends[NAME].architectures == report["architectures"]
    assert run.backends[NAME].unavailable is None
    # the records are in the folder, where a report reads them
    assert len(list(read_records(tmp_path / "run", run))) == 2


def test_without_an_earlier_pilot_a_pilot_without_cells_comes_first(tmp_path):
    _, display, records = plan_run(tmp_path, OLD, "cuda:0")
    assert requested_devices(tmp_path) == ["nothing"]
    assert display.piloted == ["versions"]
    assert records["cuda:0"].status == "unsupported"


@pytest.mark.parametrize("report", [FITTING, COMPILING], ids=["fitting", "compiling"])
def test_a_cell_that_may_run_is_tried(tmp_path, report):
    plan_run(tmp_path, report, "cuda:0", status="timed_out")
    assert requested_devices(tmp_path) == ["nothing", "cuda:0"]


def test_a_failure_that_was_expected_is_explained(tmp_path):
    _, _, records = plan_run(tmp_path, COMPILING, status="timed_out")
    doubt = "no kernels for sm_90 (NVIDIA H100, compute capability 9.0): the driver has to compile "
    assert records["cuda:0"].reason.startswith(f"as the test wants (pilot); {doubt}")
    # the doubt does not concern the CPU
    assert records["cpu"].reason == "as the test wants (pilot)"


def test_a_cell_that_the_backend_refuses_has_only_the_backends_reason(tmp_path):
    _, _, records = plan_run(tmp_path, COMPILING, "cuda:0", status="unsupported")
    assert records["cuda:0"].reason == "as the test wants (pilot)"


def test_without_gpus_from_the_driver_every_cell_is_tried(tmp_path, monkeypatch):
    monkeypatch.setattr(planner, "visible_gpus", lambda: [])
    plan_run(tmp_path, OLD, "cuda:0")
    assert requested_devices(tmp_path) == ["cuda:0"]


def test_a_backend_without_an_interpreter_is_unavailable(tmp_path):
    request = replace(
        request_for(tmp_path, FITTING, "cuda:0", status="ok"), interpreters={NAME: "/nowhere"}
    )
    display = CollectingDisplay()
    run = Planner(request, tmp_path / "run", tmp_path, display).new_run()
    assert [record.status for record in display.records] == ["unavailable"]
    assert run.backends[NAME].unavailable.startswith("cannot start /nowhere")


def test_a_certificate_is_not_tried_for_a_cell_that_can_not_run(tmp_path):
    display = CollectingDisplay()
    profile = parity.parity_profile(["float32"], dumping=False)
    request = replace(request_for(tmp_path, OLD, status="ok"), profile=profile)
    run = Planner(request, tmp_path / "run", tmp_path, display).parity_run()
    # one report covers the backend on every device
    assert requested_devices(tmp_path) == ["nothing"]
    assert [(record.status, record.trial.execution.device) for record in display.records] == [
        ("unsupported", "cuda:0")
    ]
    certified = {trial.execution.device for trial in run.trials if trial.kind == "parity"}
    assert certified == {"cpu"}
