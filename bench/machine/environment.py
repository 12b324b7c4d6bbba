"""Describe the machine and its software as the parent sees them. No figure is guessed."""

import hashlib
import os
import platform
import warnings
from collections.abc import Mapping
from pathlib import Path

import psutil

from bench import __version__
from bench.machine.nvml import gpus
from bench.record import ContentionModel, EnvironmentModel

# variables that change what a framework computes or how fast; a record keeps no others
VARIABLES = frozenset(
    {
        "CUDA_DEVICE_ORDER",
        "CUDA_VISIBLE_DEVICES",
        "GOMP_CPU_AFFINITY",
        "JAX_DEFAULT_MATMUL_PRECISION",
        "JAX_ENABLE_X64",
        "KERAS_BACKEND",
        "KMP_AFFINITY",
        "KMP_BLOCKTIME",
        "MKL_NUM_THREADS",
        "NVIDIA_TF32_OVERRIDE",
        "OMP_NUM_THREADS",
        "OMP_PROC_BIND",
        "ONEDNN_MAX_CPU_ISA",
        "OPENBLAS_NUM_THREADS",
        "PYTORCH_ALLOC_CONF",
        "PYTORCH_CUDA_ALLOC_CONF",
        "TF_CUDNN_USE_AUTOTUNE",
        "TF_ENABLE_ONEDNN_OPTS",
        "TF_FORCE_GPU_ALLOW_GROWTH",
        "TF_GPU_ALLOCATOR",
        "TF_NUM_INTEROP_THREADS",
        "TF_NUM_INTRAOP_THREADS",
        "TF_XLA_FLAGS",
        "TORCH_ALLOW_TF32_CUBLAS_OVERRIDE",
        "XLA_FLAGS",
        "XLA_PYTHON_CLIENT_ALLOCATOR",
        "XLA_PYTHON_CLIENT_MEM_FRACTION",
        "XLA_PYTHON_CLIENT_PREALLOCATE",
    }
)


def usable_cores() -> int | None:
    """Return how many cores a CPU mask (`taskset`, a container) leaves; workers inherit it."""
    if not hasattr(os, "sched_getaffinity"):
        return None
    return len(os.sched_getaffinity(0))


def environment(versions: Mapping[str, str], variables: Mapping[str, str]) -> EnvironmentModel:
    """Return the machine, with a backend's versions and the variables that its worker sees."""
    return EnvironmentModel(
        host_sha256=hashlib.sha256(platform.node().encode()).hexdigest(),
        system=f"{platform.system()} {platform.release()}",
        machine=platform.machine(),
        cpu=cpu_name(),
        cores_physical=psutil.cpu_count(logical=False),
        cores_logical=psutil.cpu_count() or 1,
        cores_usable=usable_cores(),
        memory_bytes=psutil.virtual_memory().total,
        gpus=gpus(),
        python=platform.python_version(),
        samestep=__version__,
        versions=dict(versions),
        variables=recorded_variables({**os.environ, **variables}),
    )


def recorded_variables(variables: Mapping[str, str]) -> dict[str, str]:
    """Select the variables that a record keeps; a byte that is not UTF-8 becomes a `?`."""
    return {
        name: value.encode(errors="replace").decode()
        for name, value in sorted(variables.items())
        if name in VARIABLES
    }


def cpu_name() -> str:
    """Return the CPU model from /proc/cpuinfo, or the platform's name for its processor."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())


def available_memory_bytes() -> int:
    """Return the memory that new processes can use without swapping, as psutil estimates it."""
    return int(psutil.virtual_memory().available)


def swap_bytes() -> tuple[int | None, int | None]:
    """Return the bytes of swap in use, and those moved from and to it since the system's start."""
    with warnings.catch_warnings():
        # psutil would warn and return 0 for what it cannot read
        warnings.simplefilter("error", RuntimeWarning)
        try:
            swap = psutil.swap_memory()
        except (RuntimeWarning, OSError):
            return None, None
    return int(swap.used), int(swap.sin + swap.sout)


def runs_on_battery() -> bool | None:
    """Return whether the machine runs on its battery; False without one, None if it is unknown."""
    try:
        battery = psutil.sensors_battery()
    except (AttributeError, OSError):
        return None
    if battery is None:
        return False
    return None if battery.power_plugged is None else not battery.power_plugged


class ContentionMeter:
    """CPU time of all cores between its creation and `read`, split by who used it."""

    def __init__(self, now: float) -> None:
        self._started = now
        self._before = psutil.cpu_times()

    def read(self, now: float, worker_cpu_seconds: float | None) -> ContentionModel:
        """Return the CPU seconds of the worker, of other processes, and stolen by the host."""
        after = psutil.cpu_times()
        spent = {
            name: value - getattr(self._before, name) for name, value in after._asdict().items()
        }
        idle = spent["idle"] + spent.get("iowait", 0.0)
        steal = spent.get("steal")
        # user time already includes guest time
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
