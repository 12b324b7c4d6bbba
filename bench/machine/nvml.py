"""NVIDIA GPUs as the driver tells of them (NVML). What it does not tell is None."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import pynvml

from bench.machine.devices import VISIBLE, Gpu, visible
from bench.record import GpuModel
from bench.record.preflight import GpuSeenModel

# what lowers a GPU's clock; that it idles, or that a user set its clocks, does not count
SLOWDOWNS = {
    "its power limit": pynvml.nvmlClocksEventReasonSwPowerCap,
    "its hardware": pynvml.nvmlClocksEventReasonHwSlowdown,
    "heat": pynvml.nvmlClocksEventReasonSwThermalSlowdown
    | pynvml.nvmlClocksEventReasonHwThermalSlowdown,
    "its power supply": pynvml.nvmlClocksEventReasonHwPowerBrakeSlowdown,
}
Told = TypeVar("Told")


@contextmanager
def driver() -> Iterator[None]:
    """NVML, to be asked. Raises `pynvml.NVMLError` where there is none."""
    pynvml.nvmlInit()
    try:
        yield
    finally:
        pynvml.nvmlShutdown()


def gpus() -> list[GpuModel]:
    """All NVIDIA GPUs that answer, in the driver's order; none where there is no driver.

    One that has fallen off its bus answers nothing any more.
    """
    try:
        with driver():
            release = pynvml.nvmlSystemGetDriverVersion()
            found = [told(partial(gpu_at, index, release)) for index in indices()]
    except pynvml.NVMLError:
        return []
    return [one for one in found if one is not None]


def gpu_at(index: int, release: str) -> GpuModel:
    """Of the driver's number `index`. Raises `pynvml.NVMLError` where it does not answer."""
    handle = pynvml.nvmlDeviceGetHandleByIndex(index)
    return GpuModel(
        name=pynvml.nvmlDeviceGetName(handle),
        memory_bytes=gpu_memory_bytes(handle),
        driver=release,
    )


def visible_gpus() -> list[Gpu]:
    """The GPUs that CUDA sees, in CUDA's order; none where the driver can't be asked."""
    try:
        with driver():
            names = visible(uuids(), os.environ.get(VISIBLE))
            return [gpu_found(f"cuda:{index}", name) for index, name in enumerate(names)]
    except pynvml.NVMLError:
        return []


def gpu_found(device: str, name: str) -> Gpu:
    handle = handle_named(name)
    cuda = told(pynvml.nvmlSystemGetCudaDriverVersion)
    capability = told(lambda: pynvml.nvmlDeviceGetCudaComputeCapability(handle))
    return Gpu(
        device=device,
        name=pynvml.nvmlDeviceGetName(handle),
        uuid=uuid_of(handle),
        capability=None if capability is None else (capability[0], capability[1]),
        # 12040 is 12.4
        driver_cuda=None if cuda is None else (cuda // 1000, cuda % 1000 // 10),
    )


def indices() -> range:
    return range(pynvml.nvmlDeviceGetCount())


def uuids() -> list[str]:
    """Of all GPUs in the driver's order; empty where one tells none."""
    return [told(partial(uuid_at, index)) or "" for index in indices()]


def uuid_at(index: int) -> str:
    return str(pynvml.nvmlDeviceGetUUID(pynvml.nvmlDeviceGetHandleByIndex(index)))


def uuid_of(handle: Any) -> str | None:
    return told(lambda: str(pynvml.nvmlDeviceGetUUID(handle)))


def gpu_memory_bytes(handle: Any) -> int | None:
    """None where the device does not tell, as a part of a shared GPU may not."""
    try:
        return int(pynvml.nvmlDeviceGetMemoryInfo(handle).total)
    except pynvml.NVMLError:
        return None


@contextmanager
def gpu_handle(device: str) -> Iterator[Any]:
    """NVML's handle of `cuda:N`. Raises `pynvml.NVMLError` where there is none."""
    with driver():
        yield handle_of(int(device.partition(":")[2]))


def handle_of(index: int) -> Any:
    """Of CUDA's device `index`."""
    shown = os.environ.get(VISIBLE)
    if shown is None:
        return handle_named(str(index))
    names = visible(uuids(), shown)
    if index >= len(names):
        raise pynvml.NVMLError(pynvml.NVML_ERROR_NOT_FOUND)
    return handle_named(names[index])


def handle_named(name: str) -> Any:
    """Of what the driver calls a GPU: its number or its UUID."""
    if name.isdecimal():
        return pynvml.nvmlDeviceGetHandleByIndex(int(name))
    return pynvml.nvmlDeviceGetHandleByUUID(name)


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
