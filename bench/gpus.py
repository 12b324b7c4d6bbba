"""NVIDIA GPUs as the driver tells of them (NVML). What it does not tell is None."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import pynvml

from bench.doctor import GpuSeenModel
from bench.record import GpuModel

# what lowers a GPU's clock; that it idles, or that a user set its clocks, does not count
SLOWDOWNS = {
    "its power limit": pynvml.nvmlClocksEventReasonSwPowerCap,
    "its hardware": pynvml.nvmlClocksEventReasonHwSlowdown,
    "heat": pynvml.nvmlClocksEventReasonSwThermalSlowdown
    | pynvml.nvmlClocksEventReasonHwThermalSlowdown,
    "its power supply": pynvml.nvmlClocksEventReasonHwPowerBrakeSlowdown,
}
Told = TypeVar("Told")


def gpus() -> list[GpuModel]:
    """NVIDIA GPUs in the driver's order; none where there is no driver."""
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return []
    try:
        driver = pynvml.nvmlSystemGetDriverVersion()
        handles = map(pynvml.nvmlDeviceGetHandleByIndex, range(pynvml.nvmlDeviceGetCount()))
        return [
            GpuModel(
                name=pynvml.nvmlDeviceGetName(handle),
                memory_bytes=gpu_memory_bytes(handle),
                driver=driver,
            )
            for handle in handles
        ]
    finally:
        pynvml.nvmlShutdown()


def gpu_memory_bytes(handle: Any) -> int | None:
    """None where the device does not tell, as a part of a shared GPU may not."""
    try:
        return int(pynvml.nvmlDeviceGetMemoryInfo(handle).total)
    except pynvml.NVMLError:
        return None


@contextmanager
def gpu_handle(device: str) -> Iterator[Any]:
    """NVML's handle of `cuda:N`. Raises `pynvml.NVMLError` where there is none."""
    named = visible(int(device.partition(":")[2]), os.environ.get("CUDA_VISIBLE_DEVICES", ""))
    pynvml.nvmlInit()
    try:
        if named.isdecimal():
            yield pynvml.nvmlDeviceGetHandleByIndex(int(named))
        else:
            yield pynvml.nvmlDeviceGetHandleByUUID(named)
    finally:
        pynvml.nvmlShutdown()


def visible(index: int, variable: str) -> str:
    """The driver's number or UUID of CUDA's device `index`: CUDA_VISIBLE_DEVICES renumbers."""
    names = [name.strip() for name in variable.split(",")] if variable else []
    return names[index] if index < len(names) else str(index)


def gpu_uuid(device: str) -> str:
    """The driver's UUID of `cuda:N`, or the device's name where it tells none."""
    try:
        with gpu_handle(device) as handle:
            return str(pynvml.nvmlDeviceGetUUID(handle))
    except pynvml.NVMLError:
        return device


def gpu_seen(device: str) -> GpuSeenModel:
    """What goes on on `cuda:N` at this moment."""
    try:
        with gpu_handle(device) as handle:
            return GpuSeenModel(device=device, **gpu_readings(handle))
    except pynvml.NVMLError:
        return GpuSeenModel(
            device=device, processes=None, busy_share=None, celsius=None, slowed_by=None
        )


def gpu_readings(handle: Any) -> dict[str, Any]:
    def temperature() -> int:
        return int(pynvml.nvmlDeviceGetTemperature(handle, pynvml.NVML_TEMPERATURE_GPU))

    return {
        "processes": told(lambda: len(pynvml.nvmlDeviceGetComputeRunningProcesses(handle))),
        "busy_share": told(lambda: pynvml.nvmlDeviceGetUtilizationRates(handle).gpu / 100),
        "celsius": told(temperature),
        "slowed_by": told(lambda: slowdowns(pynvml.nvmlDeviceGetCurrentClocksEventReasons(handle))),
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What the driver tells of a GPU at one moment, of the whole board; None for what it does not.

    `energy_joules` counts from the driver's start. `clock_megahertz` is the multiprocessors'.
    """

    energy_joules: float | None = None
    power_limit_watts: float | None = None
    used_bytes: int | None = None
    clock_megahertz: int | None = None
    slowed_by: list[str] | None = None


def reading(device: str) -> Reading:
    """Of `cuda:N`; all None where the driver can't be asked."""
    try:
        with gpu_handle(device) as handle:
            return reading_of(handle)
    except pynvml.NVMLError:
        return Reading()


def reading_of(handle: Any) -> Reading:
    millijoules = told(lambda: pynvml.nvmlDeviceGetTotalEnergyConsumption(handle))
    milliwatts = told(lambda: pynvml.nvmlDeviceGetEnforcedPowerLimit(handle))
    megahertz = told(lambda: pynvml.nvmlDeviceGetClockInfo(handle, pynvml.NVML_CLOCK_SM))
    return Reading(
        energy_joules=None if millijoules is None else millijoules / 1000,
        power_limit_watts=None if milliwatts is None else milliwatts / 1000,
        used_bytes=told(lambda: int(pynvml.nvmlDeviceGetMemoryInfo(handle).used)),
        clock_megahertz=megahertz,
        slowed_by=told(lambda: slowdowns(pynvml.nvmlDeviceGetCurrentClocksEventReasons(handle))),
    )


def told(ask: Callable[[], Told]) -> Told | None:
    try:
        return ask()
    except pynvml.NVMLError:
        return None


def slowdowns(reasons: int) -> list[str]:
    return [name for name, bits in SLOWDOWNS.items() if reasons & bits]
