"""Decide whether a trial was disturbed, from the other load of the machine, never from its times.

Shares are of all cores over all windows of the timed lanes. The load average would not do: it lags
by a minute and counts the worker's own threads.
"""

from collections.abc import Iterable, Mapping
from statistics import median

from bench.record import ContentionModel, GpuUseModel, WindowsModel

# the housekeeping of a quiet machine stayed under 1.5 % in a run on two cores
MOST_OTHER_SHARE = 0.05
MOST_STOLEN_SHARE = 0.05
# a worker that is throttled waits with all its threads at once
MOST_THROTTLED_SHARE = 0.01

# the kernel counts in ticks of 10 ms: a shorter watch can't be judged
SHORTEST_WATCH_SECONDS = 0.5

# without a cause, a GPU's clock of 2,000 MHz moves by a few steps of 15 MHz
SLOWEST_CLOCK = 0.95

# NTP moves a clock by at most 0.5 ms per second
MOST_JUMP_SECONDS = 1.0

SHARED = ("contended", "stolen", "throttled")
DISTURBED = (*SHARED, "clock_jump", "gpu_throttled", "gpu_slow_clock")


def flags(windows: Mapping[str, WindowsModel], cores: int) -> list[str]:
    """Return the causes of `SHARED` that took more than their share; None raises no flag."""
    lanes = windows.values()
    wall = total(lane.wall_seconds for lane in lanes)
    if wall < SHORTEST_WATCH_SECONDS:
        return []
    shares = {
        "contended": total(lane.other_cpu_seconds for lane in lanes) / (wall * cores),
        "stolen": total(lane.steal_seconds for lane in lanes) / (wall * cores),
        "throttled": total(lane.throttled_seconds for lane in lanes) / wall,
    }
    most = (MOST_OTHER_SHARE, MOST_STOLEN_SHARE, MOST_THROTTLED_SHARE)
    return [cause for cause, limit in zip(SHARED, most, strict=True) if shares[cause] > limit]


def clock_flags(load: ContentionModel) -> list[str]:
    """Return `clock_jump` if the machine was suspended or its clock was set."""
    jumped = load.clock_jump_seconds
    return ["clock_jump"] if jumped is not None and jumped > MOST_JUMP_SECONDS else []


def gpu_flags(use: GpuUseModel, usual_megahertz: float | None) -> list[str]:
    """Return flags for a clock that the driver lowered, and for a clock that is slower than usual.

    `usual_megahertz` is the usual clock in this run; None if it is not known yet.
    """
    causes = ["gpu_throttled"] if use.slowed_by else []
    if use.clock_megahertz and usual_megahertz is not None:
        slow = median(use.clock_megahertz) < SLOWEST_CLOCK * usual_megahertz
        causes += ["gpu_slow_clock"] if slow else []
    return causes


def total(columns: Iterable[list[float] | None]) -> float:
    """Add up all numbers; columns that are None count as zero."""
    return sum(sum(column) for column in columns if column is not None)
