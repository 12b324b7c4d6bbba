"""Query NVIDIA GPUs through their driver (NVML). A value is None if it is not reported."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import pynvml

from bench.machine.devices import VISIBLE, Gpu, visible_names
from bench.record import GpuModel
from bench.record.preflight import GpuSeenModel

# what lowers a GPU's clock; idling and clocks set by a user don't count
SLOWDOWNS = {
    "its power limit": pynvml.nvmlClocksEventReasonSwPowerCap,
    "its hardware": pynvml.nvmlClocksEventReasonHwSlowdown,
    "heat": pynvml.nvmlClocksEventReasonSwThermalSlowdown
    | pynvml.nvmlClocksEventReasonHwThermalSlowdown,
    "its power supply": pynvml.nvmlClocksEventReasonHwPowerBrakeSlowdown,
}
Answer = TypeVar("Answer")


@contextmanager
def driver() -> Iterator[None]:
    """Open NVML for queries. Raises `pynvml.NVMLError` if there is no driver."""
    pynvml.nvmlInit()
    try:
        yield
    finally:
        pynvml.nvmlShutdown()


def gpus() -> list[GpuModel]:
    """Return all NVIDIA GPUs that answer, in the driver's order; empty if there is no driver.

    A GPU that has fallen off its bus no longer answers.
    """
    try:
        with driver():
            release = pynvml.nvmlSystemGetDriverVersion()
            answers = [ask(partial(gpu_at, index, release)) for index in indices()]
    except pynvml.NVMLError:
        return []
    return [gpu for gpu in answers if gpu is not None]


def gpu_at(index: int, release: str) -> GpuModel:
    """Return the GPU with the driver's number `index`.

    Raises `pynvml.NVMLError` if it does not answer.
    """
    handle = pynvml.nvmlDeviceGetHandleByIndex(index)
    return GpuModel(
        name=pynvml.nvmlDeviceGetName(handle),
        memory_bytes=gpu_memory_bytes(handle),
        driver=release,
    )


def visible_gpus() -> list[Gpu]:
    """Return the GPUs that CUDA sees, in CUDA's order; empty if the driver can't be queried."""
    try:
        with driver():
            names = visible_names(uuids(), os.environ.get(VISIBLE))
            return [visible_gpu(f"cuda:{index}", name) for index, name in enumerate(names)]
    except pynvml.NVMLError:
        return []


def visible_gpu(device: str, name: str) -> Gpu:
    """Return the GPU that the driver calls `name` and CUDA calls `device`."""
    handle = handle_named(name)
    cuda = ask(pynvml.nvmlSystemGetCudaDriverVersion)
    capability = ask(lambda: pynvml.nvmlDeviceGetCudaComputeCapability(handle))
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
    """Return the UUIDs of all GPUs in the driver's order; an empty text if one reports none."""
    return [ask(partial(uuid_at, index)) or "" for index in indices()]


def uuid_at(index: int) -> str:
    return str(pynvml.nvmlDeviceGetUUID(pynvml.nvmlDeviceGetHandleByIndex(index)))


def uuid_of(handle: Any) -> str | None:
    return ask(lambda: str(pynvml.nvmlDeviceGetUUID(handle)))


def gpu_memory_bytes(handle: Any) -> int | None:
    """Return the memory of the GPU; None if it is not reported, as for a part of a shared GPU."""
    try:
        return int(pynvml.nvmlDeviceGetMemoryInfo(handle).total)
    except pynvml.NVMLError:
        return None


@contextmanager
def gpu_handle(device: str) -> Iterator[Any]:
    """Yield NVML's handle of `cuda:N`. Raises `pynvml.NVMLError` if there is none."""
    with driver():
        yield handle_of(int(device.partition(":")[2]))


def handle_of(index: int) -> Any:
    """Return the NVML handle of CUDA device `index`.

    Raises `pynvml.NVMLError` if CUDA sees no such device.
    """
    shown = os.environ.get(VISIBLE)
    if shown is None:
        return handle_named(str(index))
    names = visible_names(uuids(), shown)
    if index >= len(names):
        raise pynvml.NVMLError(pynvml.NVML_ERROR_NOT_FOUND)
    return handle_named(names[index])


def handle_named(name: str) -> Any:
    """Return the handle of the GPU that the driver calls `name`: a number or a UUID."""
    if name.isdecimal():
        return pynvml.nvmlDeviceGetHandleByIndex(int(name))
    return pynvml.nvmlDeviceGetHandleByUUID(name)


def gpu_uuid(device: str) -> str:
    """Return the driver's UUID of `cuda:N`, or the device's name if the driver reports no UUID."""
    try:
        with gpu_handle(device) as handle:
            return str(pynvml.nvmlDeviceGetUUID(handle))
    except pynvml.NVMLError:
        return device


def gpu_seen(device: str) -> GpuSeenModel:
    """Return the processes, load, temperature and slowdowns of `cuda:N` at this moment."""
    try:
        with gpu_handle(device) as handle:
            return GpuSeenModel(device=device, **gpu_readings(handle))
    except pynvml.NVMLError:
        return GpuSeenModel(
            device=device, processes=None, busy_share=None, celsius=None, slowed_by=None
        )


def gpu_readings(handle: Any) -> dict[str, Any]:
    """Read processes, load as a share, temperature in degrees Celsius, and slowdowns."""

    def temperature() -> int:
        return int(pynvml.nvmlDeviceGetTemperature(handle, pynvml.NVML_TEMPERATURE_GPU))

    return {
        "processes": ask(lambda: len(pynvml.nvmlDeviceGetComputeRunningProcesses(handle))),
        "busy_share": ask(lambda: pynvml.nvmlDeviceGetUtilizationRates(handle).gpu / 100),
        "celsius": ask(temperature),
        "slowed_by": ask(lambda: slowdowns(pynvml.nvmlDeviceGetCurrentClocksEventReasons(handle))),
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What the driver reports of a GPU at one moment, for the whole board; None if not reported.

    `energy_joules` counts from the driver's start. `clock_megahertz` is that of the
    multiprocessors.
    """

    energy_joules: float | None = None
    power_limit_watts: float | None = None
    used_bytes: int | None = None
    clock_megahertz: int | None = None
    slowed_by: list[str] | None = None


def reading(device: str) -> Reading:
    """Return a reading of `cuda:N`; all None if the driver can't be queried."""
    try:
        with gpu_handle(device) as handle:
            return reading_of(handle)
    except pynvml.NVMLError:
        return Reading()


def reading_of(handle: Any) -> Reading:
    """Read energy in joules, power limit in watts, memory in bytes and clock in MHz."""
    millijoules = ask(lambda: pynvml.nvmlDeviceGetTotalEnergyConsumption(handle))
    milliwatts = ask(lambda: pynvml.nvmlDeviceGetEnforcedPowerLimit(handle))
    megahertz = ask(lambda: pynvml.nvmlDeviceGetClockInfo(handle, pynvml.NVML_CLOCK_SM))
    return Reading(
        energy_joules=None if millijoules is None else millijoules / 1000,
        power_limit_watts=None if milliwatts is None else milliwatts / 1000,
        used_bytes=ask(lambda: int(pynvml.nvmlDeviceGetMemoryInfo(handle).used)),
        clock_megahertz=megahertz,
        slowed_by=ask(lambda: slowdowns(pynvml.nvmlDeviceGetCurrentClocksEventReasons(handle))),
    )


def ask(query: Callable[[], Answer]) -> Answer | None:
    """Return the driver's answer to the query; None if the driver reports an error."""
    try:
        return query()
    except pynvml.NVMLError:
        return None


def slowdowns(reasons: int) -> list[str]:
    """List the causes of a lowered clock in NVML's bit mask of reasons."""
    return [name for name, bits in SLOWDOWNS.items() if reasons & bits]
