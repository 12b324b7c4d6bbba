"""What the driver tells of a GPU, with a driver of our own."""

from types import SimpleNamespace
from typing import Any

import pynvml
import pytest

from bench import gpus
from bench.doctor import GpuSeenModel


class Driver:
    """NVML for two GPUs; `shy` refuses everything but the handles."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, shy: bool = False) -> None:
        self.open = 0
        answers = {
            "nvmlDeviceGetUUID": lambda handle: f"GPU-{handle}",
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
        handles = {"nvmlDeviceGetHandleByIndex": int, "nvmlDeviceGetHandleByUUID": self.by_uuid}
        counting = {"nvmlInit": lambda: self.count(1), "nvmlShutdown": lambda: self.count(-1)}
        for name, function in {**handles, **counting}.items():
            monkeypatch.setattr(pynvml, name, function)

    def by_uuid(self, uuid: str) -> int:
        return int(uuid.removeprefix("GPU-"))

    def refuse(self, *arguments: Any) -> None:
        raise pynvml.NVMLError(pynvml.NVML_ERROR_NOT_SUPPORTED)

    def count(self, change: int) -> None:
        self.open += change


def test_a_gpu_says_what_goes_on_on_it(monkeypatch):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    driver = Driver(monkeypatch)
    assert gpus.gpu_uuid("cuda:1") == "GPU-1"
    assert gpus.gpu_seen("cuda:1") == GpuSeenModel(
        device="cuda:1", processes=2, busy_share=0.31, celsius=41,
        slowed_by=["its power limit", "heat"],
    )  # fmt: skip
    assert driver.open == 0


def test_a_reading_is_in_units_of_its_names(monkeypatch):
    Driver(monkeypatch)
    assert gpus.reading("cuda:0") == gpus.Reading(
        energy_joules=5000.25, power_limit_watts=700.0, used_bytes=3 * 2**30,
        clock_megahertz=1980, slowed_by=["its power limit", "heat"],
    )  # fmt: skip


def test_a_gpu_that_tells_nothing_is_unknown(monkeypatch):
    driver = Driver(monkeypatch, shy=True)
    nothing = GpuSeenModel(
        device="cuda:0", processes=None, busy_share=None, celsius=None, slowed_by=None
    )
    assert gpus.gpu_seen("cuda:0") == nothing
    assert gpus.gpu_uuid("cuda:0") == "cuda:0"
    assert gpus.reading("cuda:0") == gpus.Reading()
    assert driver.open == 0
    monkeypatch.setattr(pynvml, "nvmlInit", driver.refuse)
    assert gpus.gpu_seen("cuda:0") == nothing
    assert gpus.reading("cuda:0") == gpus.Reading()


@pytest.mark.parametrize(
    ("index", "variable", "expected"),
    [
        (1, "", "1"),
        (0, "1", "1"),
        (1, "3, 2", "2"),
        (0, "GPU-7,GPU-8", "GPU-7"),
        (1, "0", "1"),
    ],
)
def test_cuda_may_number_gpus_unlike_the_driver(index, variable, expected):
    assert gpus.visible(index, variable) == expected


def test_the_locks_and_the_reading_are_of_the_gpu_that_cuda_means(monkeypatch):
    Driver(monkeypatch)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    assert gpus.gpu_uuid("cuda:0") == "GPU-1"
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "GPU-1,GPU-0")
    assert gpus.gpu_uuid("cuda:0") == "GPU-1"
    assert gpus.gpu_seen("cuda:1").celsius == 40
