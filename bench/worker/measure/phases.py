"""Measure the phases of a worker's work."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

Clock = Callable[[], float]


class Phases:
    """Adds up wall seconds by phase; calls `announce` at each entry into a phase."""

    def __init__(self, clock: Clock, announce: Callable[[str], None]) -> None:
        self.seconds: dict[str, float] = {}
        self._clock = clock
        self._announce = announce
        self._apart = 0.0

    @contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        """Announce a phase and count its seconds, without those of `apart`."""
        self._announce(name)
        started, apart = self._clock(), self._apart
        try:
            yield
        finally:
            self._add(name, self._clock() - started - (self._apart - apart))

    @contextmanager
    def apart(self, name: str) -> Iterator[None]:
        """Count a pause under its own name, and not in the seconds of the phase around it."""
        started = self._clock()
        try:
            yield
        finally:
            taken = self._clock() - started
            self._apart += taken
            self._add(name, taken)

    def _add(self, name: str, seconds: float) -> None:
        self.seconds[name] = self.seconds.get(name, 0.0) + seconds
