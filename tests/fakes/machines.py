"""Workers that only report what their environment has, and GPUs to compare the report with."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench.machine.devices import Gpu
from tests.fakes.scripts import write_script

HOPPER = Gpu(
    device="cuda:0", name="NVIDIA H100", uuid="GPU-1a2b", capability=(9, 0), driver_cuda=(12, 8)
)
# what the builds of a framework report on a machine with that GPU
FITTING: dict[str, Any] = {
    "python": "3.11.9",
    "versions": {"torch": "2.9", "cuda": "12.8"},
    "devices": ["cpu", "cuda:0"],
    "architectures": ["sm_80", "sm_90"],
}
OLD: dict[str, Any] = {**FITTING, "architectures": ["sm_70", "sm_80"]}
COMPILING: dict[str, Any] = {**FITTING, "architectures": ["sm_80", "compute_80"]}
TOO_NEW: dict[str, Any] = {
    **FITTING, "versions": {"torch": "2.13", "cuda": "13.2"}, "devices": ["cpu"]
}  # fmt: skip
WITHOUT_CUDA: dict[str, Any] = {
    **FITTING, "versions": {"tensorflow": "2.21"}, "devices": ["cpu"], "architectures": None
}  # fmt: skip

REQUESTED = "requested"
BODY = """
devices = [cell["execution"]["device"] for cell in task["cells"]]
with open({requested!r}, "a") as file:
    file.write(" ".join(devices or ["nothing"]) + "\\n")
cells = [{{"cell": {labels!r}[device], "status": {status!r}, "reason": "as the test wants"}}
         for device in devices]
result = {{"status": "ok", "reason": None, "cells": cells, **{report!r}}}
os.write(pipe, json.dumps({{"event": "result", "result": result}}).encode() + b"\\n")
"""


def write_reporter(
    folder: Path,
    report: Mapping[str, Any],
    *,
    labels: Mapping[str, str] | None = None,
    status: str = "failed",
) -> str:
    """Write a worker that sends this report, and `status` for each cell that it has to measure.

    `labels` has the label of the cell of each device. The worker notes the devices in a file.
    """
    body = BODY.format(
        requested=str(folder / REQUESTED),
        labels=dict(labels or {}),
        status=status,
        report=dict(report),
    )
    return write_script(folder, "reporting", body)


def requested_devices(folder: Path) -> list[str]:
    """Return a line per worker that has been started: the devices of its cells."""
    path = folder / REQUESTED
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []
