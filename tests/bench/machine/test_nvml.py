"""GPUs are read from the driver, here a fake NVML."""

from types import SimpleNamespace
from typing import Any

import pynvml
import pytest

from bench.machine import nvml
from bench.machine.devices import Gpu
from bench.record.preflight import GpuSeenModel


class Driver:
    """A fake NVML for two GPUs; with `shy` it refuses everything except handles and names."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, shy: bool = False) -> None:
        self.open = 0
        answers = {
            "nvmlDeviceGetUUID": lambda handle: f"GPU-{handle}",
            "nvmlDeviceGetCudaComputeCapability": lambda handle: [9, handle],
            "nvmlSystemGetCudaDriverVersion": lambda: 12040,
            "nvmlDeviceGetComputeRunningProcesses": lambda handle: ["one", "two"],
            "nvmlDeviceGetUtilizationRates": lambda handle: SimpleNamespace(gpu=31, memory=2),
            "nvmlDeviceGetTemperature": lambda handle, sensor: 40 + handle,
            "nvmlDeviceGetCurrentClocksEventReasons": lambda handle: 0x1 | 0x4 | 0x40,
            "nvmlDeviceGetTotalEnergyConsumption": lambda handle: 5_000_250,
            "nvmlDeviceGetEnforcedPowerLimit": lambda handle: 700_000,
            "nvmlDeviceGetMemoryInfo": lambda handle: SimpleNamespace(used=3 * 2**30),
            "nvmlDeviceGetClockInfo": lambda handle, kind: 1980,
        }
        for name, answer in answers.items():
            monkeypatch.setattr(pynvml, name, self.refuse if shy else answer)
        handles = {
            "nvmlDeviceGetCount": lambda: 2,
            "nvmlDeviceGetHandleByIndex": int,
            "nvmlDeviceGetHandleByUUID": self.handle_of,
            "nvmlDeviceGetName": lambda handle: f"Board {handle}",
        }
        counting = {"nvmlInit": lambda: self.count(1), "nvmlShutdown": lambda: self.count(-1)}
        for name, function in {**handles, **counting}.items():
            monkeypatch.setattr(pynvml, name, function)

    def handle_of(self, uuid: str) -> int:
        if uuid not in {"MIG-0", "MIG-1"}:
            raise pynvml.NVMLError(pynvml.NVML_ERROR_NOT_FOUND)
        return int(uuid.removeprefix("MIG-"))

    def refuse(self, *arguments: Any) -> None:
        raise pynvml.NVMLError(pynvml.NVML_ERROR_NOT_SUPPORTED)

    def count(self, change: int) -> None:
        self.open += change


def test_a_look_at_a_gpu_lists_its_processes_and_its_load(monkeypatch):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    driver = Driver(monkeypatch)
    assert nvml.gpu_uuid("cuda:1") == "GPU-1"
    assert nvml.gpu_seen("cuda:1") == GpuSeenModel(
        device="cuda:1", processes=2, busy_share=0.31, celsius=41,
        slowed_by=["its power limit", "heat"],
    )  # fmt: skip
    assert driver.open == 0


def test_a_reading_is_in_units_of_its_names(monkeypatch):
    Driver(monkeypatch)
    assert nvml.reading("cuda:0") == nvml.Reading(
        energy_joules=5000.25, power_limit_watts=700.0, used_bytes=3 * 2**30,
        clock_megahertz=1980, slowed_by=["its power limit", "heat"],
    )  # fmt: skip


def test_a_gpu_that_reports_nothing_is_unknown(monkeypatch):
    driver = Driver(monkeypatch, shy=True)
    nothing = GpuSeenModel(
        device="cuda:0", processes=None, busy_share=None, celsius=None, slowed_by=None
    )
    assert nvml.gpu_seen("cuda:0") == nothing
    assert nvml.gpu_uuid("cuda:0") == "cuda:0"
    assert nvml.reading("cuda:0") == nvml.Reading()
    assert driver.open == 0
    monkeypatch.setattr(pynvml, "nvmlInit", driver.refuse)
    assert nvml.gpu_seen("cuda:0") == nothing
    assert nvml.reading("cuda:0") == nvml.Reading()


def test_locks_and_readings_are_of_the_gpu_that_cuda_numbers(monkeypatch):
    Driver(monkeypatch)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    assert nvml.gpu_uuid("cuda:0") == "GPU-1"
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "GPU-1,GPU-0")
    assert nvml.gpu_uuid("cuda:0") == "GPU-1"
    assert nvml.gpu_seen("cuda:1").celsius == 40


def test_gpus_are_found_as_cuda_numbers_them(monkeypatch):
    driver = Driver(monkeypatch)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    first, second = nvml.visible_gpus()
    assert first == Gpu(
        device="cuda:0", name="Board 0", uuid="GPU-0", capability=(9, 0), driver_cuda=(12, 4)
    )
    assert (second.device, second.uuid, second.capability) == ("cuda:1", "GPU-1", (9, 1))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    assert [(gpu.device, gpu.uuid) for gpu in nvml.visible_gpus()] == [("cuda:0", "GPU-1")]
    # a part of a GPU has a UUID that only the driver can resolve
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "MIG-1")
    assert [gpu.name for gpu in nvml.visible_gpus()] == ["Board 1"]
    for hidden in ("", "-1", "MIG-7"):
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", hidden)
        assert nvml.visible_gpus() == []
    assert driver.open == 0


def test_a_gpu_that_is_hidden_is_not_mistaken_for_another(monkeypatch):
    Driver(monkeypatch)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    assert nvml.gpu_uuid("cuda:1") == "cuda:1"
    assert nvml.reading("cuda:1") == nvml.Reading()


def test_a_driver_that_reports_nothing_of_its_gpus_leaves_unknowns(monkeypatch):
    driver = Driver(monkeypatch, shy=True)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert nvml.visible_gpus() == [
        Gpu(device="cuda:0", name="Board 0"), Gpu(device="cuda:1", name="Board 1")
    ]  # fmt: skip
    monkeypatch.setattr(pynvml, "nvmlInit", driver.refuse)
    assert nvml.visible_gpus() == []


def test_a_gpu_that_is_lost_is_left_out_and_the_others_are_listed(monkeypatch):
    driver = Driver(monkeypatch)
    monkeypatch.setattr(pynvml, "nvmlSystemGetDriverVersion", lambda: "580.65", raising=False)
    monkeypatch.setattr(
        pynvml, "nvmlDeviceGetMemoryInfo", lambda handle: SimpleNamespace(total=80 * 2**30)
    )
    assert [gpu.name for gpu in nvml.gpus()] == ["Board 0", "Board 1"]

    def lose_first(index: int) -> int:
        if index == 0:
            raise pynvml.NVMLError(pynvml.NVML_ERROR_GPU_IS_LOST)
        return index

    monkeypatch.setattr(pynvml, "nvmlDeviceGetHandleByIndex", lose_first)
    assert [gpu.name for gpu in nvml.gpus()] == ["Board 1"]
    assert driver.open == 0
