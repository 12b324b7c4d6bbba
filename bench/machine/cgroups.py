"""Read what control groups allow this process: CPU time and memory. Linux, versions 1 and 2."""

import math
from pathlib import Path

MEMBERSHIP = Path("/proc/self/cgroup")
ROOT = Path("/sys/fs/cgroup")


def cpu_quota() -> float | None:
    """Return the CPU quota in cores; infinite without a limit, None without control groups."""
    folders = groups("cpu")
    return None if folders is None else min(map(_cpu_quota, folders), default=math.inf)


def memory_room_bytes() -> float | None:
    """Return how many bytes may still be allocated, droppable file cache included.

    The value is infinite without a limit and None without control groups.
    """
    folders = groups("memory")
    return None if folders is None else min(map(_memory_room, folders), default=math.inf)


def memory_kills() -> int | None:
    """Return the number of OOM kills in this control group; None if the kernel keeps no count."""
    for folder in groups("memory") or ():
        words = _words(folder / "memory.events") or _words(folder / "memory.oom_control")
        counts = dict(zip(words[::2], words[1::2], strict=False))
        if "oom_kill" in counts:
            return int(counts["oom_kill"])
    return None


def groups(controller: str) -> list[Path] | None:
    """Return the folders of this process's control group and of the groups above it.

    Their limits apply to the process as well. None if the system has no control groups.
    """
    try:
        lines = MEMBERSHIP.read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    folders: list[Path] = []
    for line in lines:
        _, controllers, name = line.split(":", 2)
        # version 2 has one tree for all controllers, and its line names no controller
        if controllers and controller not in controllers.split(","):
            continue
        top = ROOT / controller if controllers else ROOT
        own = top / name.lstrip("/")
        folders += [own, *(folder for folder in own.parents if folder.is_relative_to(top))]
    return folders


def _cpu_quota(folder: Path) -> float:
    first = [*_words(folder / "cpu.cfs_quota_us"), *_words(folder / "cpu.cfs_period_us")]
    match _words(folder / "cpu.max") or first:
        case [quota, period] if quota not in ("max", "-1"):
            return int(quota) / int(period)
    return math.inf


def _memory_room(folder: Path) -> float:
    limit = _words(folder / "memory.max") or _words(folder / "memory.limit_in_bytes")
    used = _words(folder / "memory.current") or _words(folder / "memory.usage_in_bytes")
    if not used or not limit or limit == ["max"]:
        return math.inf
    return int(limit[0]) - int(used[0]) + _cache_bytes(folder)


def _cache_bytes(folder: Path) -> int:
    words = _words(folder / "memory.stat")
    counts = dict(zip(words[::2], words[1::2], strict=False))
    # version 1 has a separate count that includes the groups below
    return int(counts.get("total_inactive_file", counts.get("inactive_file", 0)))


def _words(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="ascii").split()
    except OSError:
        return []
