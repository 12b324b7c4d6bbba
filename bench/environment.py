"""What the machine and the software are, as the parent sees them. No figure is guessed."""

import hashlib
import os
import platform
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import psutil
import pynvml

from bench import __version__
from bench.doctor import GpuSeenModel
from bench.record import ContentionModel, EnvironmentModel, GpuModel

# variables that change what a framework computes or how fast; every other stays out of the record
VARIABLES = frozenset(
    {
        "CUDA_VISIBLE_DEVICES",
        "GOMP_CPU_AFFINITY",
        "KERAS_BACKEND",
        "KMP_AFFINITY",
        "KMP_BLOCKTIME",
        "MKL_NUM_THREADS",
        "NVIDIA_TF32_OVERRIDE",
        "OMP_NUM_THREADS",
        "OMP_PROC_BIND",
        "ONEDNN_MAX_CPU_ISA",
        "OPENBLAS_NUM_THREADS",
        "PYTORCH_CUDA_ALLOC_CONF",
        "TF_ENABLE_ONEDNN_OPTS",
        "TF_FORCE_GPU_ALLOW_GROWTH",
        "TF_GPU_ALLOCATOR",
        "TF_NUM_INTEROP_THREADS",
        "TF_NUM_INTRAOP_THREADS",
        "TF_XLA_FLAGS",
        "TORCH_ALLOW_TF32_CUBLAS_OVERRIDE",
        "XLA_FLAGS",
    }
)

# what lowers a GPU's clock; that it idles, or that a user set its clocks, does not count
SLOWDOWNS = {
    "its power limit": pynvml.nvmlClocksEventReasonSwPowerCap,
    "its hardware": pynvml.nvmlClocksEventReasonHwSlowdown,
    "heat": pynvml.nvmlClocksEventReasonSwThermalSlowdown
    | pynvml.nvmlClocksEventReasonHwThermalSlowdown,
    "its power supply": pynvml.nvmlClocksEventReasonHwPowerBrakeSlowdown,
}
Told = TypeVar("Told")


def environment(versions: Mapping[str, str], variables: Mapping[str, str]) -> EnvironmentModel:
    """The machine, with a backend's versions and the variables that its worker sees."""
    return EnvironmentModel(
        host_sha256=hashlib.sha256(platform.node().encode()).hexdigest(),
        system=f"{platform.system()} {platform.release()}",
        machine=platform.machine(),
        cpu=cpu_name(),
        cores_physical=psutil.cpu_count(logical=False),
        cores_logical=psutil.cpu_count() or 1,
        memory_bytes=psutil.virtual_memory().total,
        gpus=gpus(),
        python=platform.python_version(),
        samestep=__version__,
        versions=dict(versions),
        variables=allowed({**os.environ, **variables}),
    )


def allowed(variables: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in sorted(variables.items()) if name in VARIABLES}


def cpu_name() -> str:
    """The model's name from /proc/cpuinfo, or what the platform calls its processor."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())


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


def told(ask: Callable[[], Told]) -> Told | None:
    try:
        return ask()
    except pynvml.NVMLError:
        return None


def slowdowns(reasons: int) -> list[str]:
    return [name for name, bits in SLOWDOWNS.items() if reasons & bits]


def available_memory_bytes() -> int:
    return int(psutil.virtual_memory().available)


def swap_bytes() -> tuple[int | None, int | None]:
    """Swap in use, and what was moved from and to it since the system's start."""
    with warnings.catch_warnings():
        # psutil would warn and say 0 for what it could not find out
        warnings.simplefilter("error", RuntimeWarning)
        try:
            swap = psutil.swap_memory()
        except (RuntimeWarning, OSError):
            return None, None
    return int(swap.used), int(swap.sin + swap.sout)


def on_battery() -> bool | None:
    """False where there is no battery; None where the system does not tell."""
    try:
        battery = psutil.sensors_battery()
    except (AttributeError, OSError):
        return None
    if battery is None:
        return False
    return None if battery.power_plugged is None else not battery.power_plugged


class ContentionMeter:
    """CPU time of all cores between its making and `read`, split by whose it was."""

    def __init__(self, now: float) -> None:
        self._started = now
        self._before = psutil.cpu_times()

    def read(self, now: float, worker_cpu_seconds: float | None) -> ContentionModel:
        after = psutil.cpu_times()
        spent = {
            name: value - getattr(self._before, name) for name, value in after._asdict().items()
        }
        idle = spent["idle"] + spent.get("iowait", 0.0)
        steal = spent.get("steal")
        # guest time is counted in user time already
        busy = sum(
            value for name, value in spent.items() if name not in ("guest", "guest_nice", "steal")
        )
        others = None
        if worker_cpu_seconds is not None:
            others = max(0.0, busy - idle - worker_cpu_seconds)
        return ContentionModel(
            wall_seconds=now - self._started,
            worker_cpu_seconds=worker_cpu_seconds,
            other_cpu_seconds=others,
            steal_seconds=None if steal is None else max(0.0, steal),
        )
