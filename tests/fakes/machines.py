"""Workers that are only asked what they have, and GPUs to hold it against."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench.machine.devices import Gpu
from tests.fakes.scripts import script

HOPPER = Gpu(
    device="cuda:0", name="NVIDIA H100", uuid="GPU-1a2b", capability=(9, 0), driver_cuda=(12, 8)
)
# what each of three builds tells on a machine with that GPU
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

ASKED = "asked"
BODY = """
devices = [cell["execution"]["device"] for cell in task["cells"]]
with open({asked!r}, "a") as file:
    file.write(" ".join(devices or ["nothing"]) + "\\n")
cells = [{{"cell": {labels!r}[device], "status": {status!r}, "reason": "as the test wants"}}
         for device in devices]
result = {{"status": "ok", "reason": None, "cells": cells, **{told!r}}}
os.write(pipe, json.dumps({{"event": "result", "result": result}}).encode() + b"\\n")
"""


def telling(
    folder: Path,
    told: Mapping[str, Any],
    *,
    labels: Mapping[str, str] | None = None,
    status: str = "failed",
) -> str:
    """A worker that tells this of itself, and has `status` for each cell that it is to measure.

    `labels` are those of the cells by device. What it was asked to measure goes into a file.
    """
    body = BODY.format(
        asked=str(folder / ASKED), labels=dict(labels or {}), status=status, told=dict(told)
    )
    return script(folder, "telling", body)


def asked(folder: Path) -> list[str]:
    """A line for each worker that came so far: the devices of its cells."""
    path = folder / ASKED
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []
