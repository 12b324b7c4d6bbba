"""What its control groups allow this process: CPU time and memory. Linux, versions 1 and 2."""

import math
from pathlib import Path

MEMBERSHIP = Path("/proc/self/cgroup")
ROOT = Path("/sys/fs/cgroup")


def cpu_quota() -> float | None:
    """In cores; infinite where nothing limits it, None where there are no control groups."""
    folders = groups("cpu")
    return None if folders is None else min(map(_cpu_quota, folders), default=math.inf)


def memory_room_bytes() -> float | None:
    """What may still be taken, a file cache that can be dropped included; as `cpu_quota`."""
    folders = groups("memory")
    return None if folders is None else min(map(_memory_room, folders), default=math.inf)


def memory_kills() -> int | None:
    """How many of its group the kernel has killed for memory; None where nobody counts."""
    for folder in groups("memory") or ():
        words = _words(folder / "memory.events") or _words(folder / "memory.oom_control")
        counts = dict(zip(words[::2], words[1::2], strict=False))
        if "oom_kill" in counts:
            return int(counts["oom_kill"])
    return None


def groups(controller: str) -> list[Path] | None:
    """The folders of the process's own group and of those above it: their limits hold as well."""
    try:
        lines = MEMBERSHIP.read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    found: list[Path] = []
    for line in lines:
        _, controllers, name = line.split(":", 2)
        # version 2 has one tree for all controllers, and its line names none
        if controllers and controller not in controllers.split(","):
            continue
        top = ROOT / controller if controllers else ROOT
        own = top / name.lstrip("/")
        found += [own, *(folder for folder in own.parents if folder.is_relative_to(top))]
    return found


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
    # version 1 counts the groups below under a name of its own
    return int(counts.get("total_inactive_file", counts.get("inactive_file", 0)))


def _words(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="ascii").split()
    except OSError:
        return []
