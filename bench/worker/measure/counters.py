"""What else happened while something was timed, from counters that the kernel keeps.

Standard library alone, since it runs in the worker. A counter that this system does not have is
None. Reading them takes a tenth of a millisecond and happens between what is timed.
"""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path

PROC_STAT = Path("/proc/stat")
PRESSURE = Path("/proc/pressure/cpu")
CGROUPS = Path("/proc/self/cgroup")
CGROUP_ROOT = Path("/sys/fs/cgroup")


@dataclass(frozen=True, slots=True, kw_only=True)
class Counters:
    """Seconds since some start, all cores together; None where the system does not tell.

    `other_cpu` is the CPU time of everything but this process, `steal` what the hypervisor gave
    to other machines, `throttled` how long this control group was held back by its quota,
    `pressure` how long any task of the machine waited for a CPU (its own threads' waits count).
    """

    wall: float
    own_cpu: float
    other_cpu: float | None
    steal: float | None
    throttled: float | None
    pressure: float | None


def read_counters() -> Counters:
    own = time.process_time()
    busy, steal = cpu_seconds()
    return Counters(
        wall=time.monotonic(),
        own_cpu=own,
        other_cpu=None if busy is None else busy - own,
        steal=steal,
        throttled=throttled_seconds(),
        pressure=pressure_seconds(),
    )


def cpu_seconds() -> tuple[float | None, float | None]:
    """Busy and stolen seconds of all cores since the system's start; None, None without /proc."""
    try:
        with PROC_STAT.open(encoding="ascii") as lines:
            _, *ticks = lines.readline().split()
        # guest time, which comes after these, is counted in user time already
        user, nice, system, _, _, irq, softirq, steal = map(int, ticks[:8])
    except (OSError, ValueError):
        return None, None
    second = os.sysconf("SC_CLK_TCK")
    return (user + nice + system + irq + softirq) / second, steal / second


def throttled_seconds() -> float | None:
    """How long the quota of this process's own control group (version 2) has held it back."""
    try:
        lines = CGROUPS.read_text(encoding="utf-8").splitlines()
        own = next(line[3:] for line in lines if line.startswith("0::"))
        text = (CGROUP_ROOT / own.lstrip("/") / "cpu.stat").read_text(encoding="ascii")
        counts = dict(line.split() for line in text.splitlines())
        return int(counts["throttled_usec"]) / 1e6
    except (OSError, ValueError, KeyError, StopIteration):
        return None


def pressure_seconds() -> float | None:
    try:
        some = PRESSURE.read_text(encoding="ascii").splitlines()[0]
        return int(some.rpartition("total=")[2]) / 1e6
    except (OSError, ValueError, IndexError):
        return None


def spent(before: Counters, after: Counters) -> Counters:
    return Counters(
        wall=after.wall - before.wall,
        own_cpu=after.own_cpu - before.own_cpu,
        other_cpu=difference(after.other_cpu, before.other_cpu),
        steal=difference(after.steal, before.steal),
        throttled=difference(after.throttled, before.throttled),
        pressure=difference(after.pressure, before.pressure),
    )


def difference(after: float | None, before: float | None) -> float | None:
    # may be below zero for other_cpu, since /proc/stat counts in ticks and a process's own time
    # does not; clipped, short windows would add up to work that nobody did
    return None if after is None or before is None else after - before


class Sensors:
    """Differences of the counters over windows, kept by lane.

    A window is what is timed, so that it begins when this process has its `turn`.
    """

    def __init__(
        self,
        read: Callable[[], Counters] = read_counters,
        turn: Callable[[], None] = lambda: None,
    ) -> None:
        self._read = read
        self._turn = turn
        self._windows: dict[str, list[Counters]] = {}

    @contextmanager
    def window(self, lane: str) -> Iterator[None]:
        """Watch what happens inside; a window is kept also where it fails."""
        self._turn()
        before = self._read()
        try:
            yield
        finally:
            self._windows.setdefault(lane, []).append(spent(before, self._read()))

    def columns(self) -> dict[str, dict[str, list[float] | None]]:
        """Lane to counter to its seconds by window; None for a counter that is not there."""
        return {
            lane: {f"{one.name}_seconds": column(windows, one.name) for one in fields(Counters)}
            for lane, windows in self._windows.items()
        }


def column(windows: list[Counters], name: str) -> list[float] | None:
    values = [getattr(window, name) for window in windows]
    return None if None in values else values
