"""Read the kernel's counters around each timed window: what else the machine did meanwhile.

A counter that this system does not have is None. A reading takes a tenth of a millisecond and
happens outside the timed windows.
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
    """Seconds since some start, all cores together; None if the system does not count them.

    `other_cpu` is the CPU time of all other processes, `steal` what the hypervisor gave to other
    machines, `throttled` how long the quota held this control group back, `pressure` how long any
    task of the machine waited for a CPU, this process's own threads included.
    """

    wall: float
    own_cpu: float
    other_cpu: float | None
    steal: float | None
    throttled: float | None
    pressure: float | None


def read_counters() -> Counters:
    """Return all counters as they are now."""
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
    """Return busy and stolen seconds of all cores since the start; None, None without /proc."""
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
    """Return the seconds for which the quota of this control group (version 2) held it back."""
    try:
        lines = CGROUPS.read_text(encoding="utf-8").splitlines()
        own = next(line[3:] for line in lines if line.startswith("0::"))
        text = (CGROUP_ROOT / own.lstrip("/") / "cpu.stat").read_text(encoding="ascii")
        counts = dict(line.split() for line in text.splitlines())
        return int(counts["throttled_usec"]) / 1e6
    except (OSError, ValueError, KeyError, StopIteration):
        return None


def pressure_seconds() -> float | None:
    """Return the seconds in which some task of the machine waited for a CPU."""
    try:
        some = PRESSURE.read_text(encoding="ascii").splitlines()[0]
        return int(some.rpartition("total=")[2]) / 1e6
    except (OSError, ValueError, IndexError):
        return None


def elapsed(before: Counters, after: Counters) -> Counters:
    """Return what the counters rose by between two readings."""
    return Counters(
        wall=after.wall - before.wall,
        own_cpu=after.own_cpu - before.own_cpu,
        other_cpu=difference(after.other_cpu, before.other_cpu),
        steal=difference(after.steal, before.steal),
        throttled=difference(after.throttled, before.throttled),
        pressure=difference(after.pressure, before.pressure),
    )


def difference(after: float | None, before: float | None) -> float | None:
    """Return the difference of two values; None if either is unknown."""
    # may be below zero for other_cpu, since /proc/stat counts in ticks and a process's own time
    # does not; if it were clipped, short windows would add up to work that no process did
    return None if after is None or before is None else after - before


class Sensors:
    """Keeps the counters' differences over timed windows, by lane.

    `turn` is called before a window: it returns when this process may be timed.
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
        """Wait for the turn, then count what happens inside; a window that fails is kept too."""
        self._turn()
        before = self._read()
        try:
            yield
        finally:
            self._windows.setdefault(lane, []).append(elapsed(before, self._read()))

    def columns(self) -> dict[str, dict[str, list[float] | None]]:
        """Return the seconds by lane, counter and window; None for a missing counter."""
        return {
            lane: {f"{each.name}_seconds": column(windows, each.name) for each in fields(Counters)}
            for lane, windows in self._windows.items()
        }


def column(windows: list[Counters], name: str) -> list[float] | None:
    """Return a counter's value in each window; None if any is unknown."""
    values = [getattr(window, name) for window in windows]
    return None if None in values else values
