"""The machine's clocks against each other: whether it slept, or somebody set its clock.

Durations are of the monotonic clock, which no setting moves. On Linux it stands still while the
machine is suspended, and what was cached, hot or connected before is not so afterwards.
"""

import time
from collections.abc import Callable, Sequence


def seconds() -> tuple[float, ...]:
    """The monotonic clock, the wall clock, and where there is one the clock that never stops."""
    boottime = getattr(time, "CLOCK_BOOTTIME", None)
    rest = () if boottime is None else (time.clock_gettime(boottime),)
    return (time.monotonic(), time.time(), *rest)


class ClockWatch:
    """How far the clocks moved apart since it was made."""

    def __init__(self, read: Callable[[], Sequence[float]] = seconds) -> None:
        self._read = read
        self._before = read()

    def jump_seconds(self) -> float:
        """Of two clocks those that differ most: a suspend's length, a step's size."""
        passed = [after - before for before, after in zip(self._before, self._read(), strict=True)]
        return max(passed) - min(passed)
