"""Compare the machine's clocks: whether it was suspended, or its wall clock was set.

Durations come from the monotonic clock, which no setting moves. On Linux it stops while the machine
is suspended. A suspend empties caches, cools the hardware and ends connections.
"""

import time
from collections.abc import Callable, Sequence


def seconds() -> tuple[float, ...]:
    """Read the monotonic clock, the wall clock, and the clock that never stops, if there is one."""
    boottime = getattr(time, "CLOCK_BOOTTIME", None)
    rest = () if boottime is None else (time.clock_gettime(boottime),)
    return (time.monotonic(), time.time(), *rest)


class ClockWatch:
    """Watches how far the clocks move apart from the moment it is created."""

    def __init__(self, read: Callable[[], Sequence[float]] = seconds) -> None:
        self._read = read
        self._before = read()

    def jump_seconds(self) -> float:
        """Return the largest difference between two clocks: a suspend's length or a step's size."""
        passed = [after - before for before, after in zip(self._before, self._read(), strict=True)]
        return max(passed) - min(passed)
