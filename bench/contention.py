"""Whether a trial was disturbed, judged by what else the machine did and never by its times.

Shares are of all cores over all windows of what was timed. Load average would not do: it lags by
a minute and counts the worker's own threads.
"""

from collections.abc import Iterable, Mapping

from bench.record import WindowsModel

# a quiet machine's own housekeeping stayed under 1.5 % in a run on two cores
MOST_OTHER_SHARE = 0.05
MOST_STOLEN_SHARE = 0.05
# held back at all, the worker waits with all its threads at once
MOST_THROTTLED_SHARE = 0.01

# the kernel counts in ticks of 10 ms: what was watched for less can't be judged
SHORTEST_WATCH_SECONDS = 0.5

DISTURBED = ("contended", "stolen", "throttled")


def flags(windows: Mapping[str, WindowsModel], cores: int) -> list[str]:
    """The causes of `DISTURBED` that took more than their share; what is unknown accuses nobody."""
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
    return [cause for cause, limit in zip(DISTURBED, most, strict=True) if shares[cause] > limit]


def total(columns: Iterable[list[float] | None]) -> float:
    return sum(sum(column) for column in columns if column is not None)
