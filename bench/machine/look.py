"""Look at the machine while nothing of ours runs, for `bench.machine.doctor` to judge."""

import os
import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from bench.machine.cgroups import cpu_quota, memory_room_bytes
from bench.machine.environment import (
    ContentionMeter,
    available_memory_bytes,
    runs_on_battery,
    swap_bytes,
)
from bench.machine.nvml import gpu_seen
from bench.record.preflight import SeenModel

GOVERNORS = Path("/sys/devices/system/cpu/cpufreq")


def look(
    seconds: float,
    place: Path,
    devices: Sequence[str],
    workers: int = 1,
    sleep: Callable[[float], None] = time.sleep,
) -> SeenModel:
    """Sleep for `seconds` and return what went on meanwhile; `place` is the run's future folder.

    `workers` is the number of workers that the run would hold in memory at once.
    """
    cores = os.cpu_count() or 1
    own, started = time.process_time(), time.monotonic()
    meter, (_, moved_before) = ContentionMeter(started), swap_bytes()
    sleep(seconds)
    spent = meter.read(time.monotonic(), time.process_time() - own)
    swap_used, moved = swap_bytes()
    capacity = spent.wall_seconds * cores
    return SeenModel(
        seconds=spent.wall_seconds,
        cores=cores,
        allowed_cores=allowed_cores(cores),
        other_cpu_share=share(spent.other_cpu_seconds, capacity),
        stolen_share=share(spent.steal_seconds, capacity),
        governors=governors(),
        available_memory_bytes=memory_bytes(),
        swap_used_bytes=swap_used,
        swap_moved_bytes=difference(moved, moved_before),
        free_disk_bytes=free_disk_bytes(place),
        on_battery=runs_on_battery(),
        gpus=[gpu_seen(device) for device in devices if device != "cpu"],
        workers=workers,
    )


def share(spent: float | None, capacity: float) -> float | None:
    """Divide the spent CPU seconds by the capacity; None if they were not counted."""
    return None if spent is None else spent / capacity


def difference(after: int | None, before: int | None) -> int | None:
    """Return how much a count grew, at least 0; None if it was not counted."""
    return None if after is None or before is None else max(0, after - before)


def allowed_cores(cores: int) -> float | None:
    """Return how many of the cores the quota and the CPU mask of this process leave."""
    quota = cpu_quota()
    if quota is None or not hasattr(os, "sched_getaffinity"):
        return None
    return min(cores, quota, len(os.sched_getaffinity(0)))


def governors() -> list[str] | None:
    """Return the CPU's governors without repeats; None if the system shows none."""
    try:
        files = sorted(GOVERNORS.glob("policy*/scaling_governor"))
        return sorted({file.read_text(encoding="ascii").strip() for file in files}) or None
    except OSError:
        return None


def memory_bytes() -> int:
    """Return the memory free for new processes: of the machine, or of the control group if less."""
    room = memory_room_bytes()
    available = available_memory_bytes()
    return available if room is None else max(0, int(min(available, room)))


def free_disk_bytes(place: Path) -> int | None:
    """Return the disk space free for this user in the nearest existing folder of `place`."""
    whole = place.absolute()
    try:
        return shutil.disk_usage(next(filter(Path.exists, (whole, *whole.parents)))).free
    except OSError:
        return None
