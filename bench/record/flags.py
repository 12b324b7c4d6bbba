"""Whether a trial was disturbed, judged by what else the machine did and never by its times.

Shares are of all cores over all windows of what was timed. Load average would not do: it lags by
a minute and counts the worker's own threads.
"""

from collections.abc import Iterable, Mapping
from statistics import median

from bench.record import ContentionModel, GpuUseModel, WindowsModel

# a quiet machine's own housekeeping stayed under 1.5 % in a run on two cores
MOST_OTHER_SHARE = 0.05
MOST_STOLEN_SHARE = 0.05
# held back at all, the worker waits with all its threads at once
MOST_THROTTLED_SHARE = 0.01

# the kernel counts in ticks of 10 ms: what was watched for less can't be judged
SHORTEST_WATCH_SECONDS = 0.5

# a GPU's clock moves by a few steps of 15 MHz of 2,000 without a cause
SLOWEST_CLOCK = 0.95

# NTP moves a clock by 0.5 ms a second at most
MOST_JUMP_SECONDS = 1.0

SHARED = ("contended", "stolen", "throttled")
DISTURBED = (*SHARED, "clock_jump", "gpu_throttled", "gpu_slow_clock")


def flags(windows: Mapping[str, WindowsModel], cores: int) -> list[str]:
    """The causes of `SHARED` that took more than their share; what is unknown accuses nobody."""
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
    """Whether the machine slept, or its clock was set."""
    jumped = load.clock_jump_seconds
    return ["clock_jump"] if jumped is not None and jumped > MOST_JUMP_SECONDS else []


def gpu_flags(use: GpuUseModel, usual_megahertz: float | None) -> list[str]:
    """Whether the driver lowered the GPU's clock, or it ran slower than it used to in this run."""
    found = ["gpu_throttled"] if use.slowed_by else []
    if use.clock_megahertz and usual_megahertz is not None:
        slow = median(use.clock_megahertz) < SLOWEST_CLOCK * usual_megahertz
        found += ["gpu_slow_clock"] if slow else []
    return found


def total(columns: Iterable[list[float] | None]) -> float:
    return sum(sum(column) for column in columns if column is not None)
