"""The phases of a worker's work, and the clocks they are measured with."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

Clock = Callable[[], float]


class Phases:
    """Wall seconds by phase; a phase entered twice adds up. Calls `announce` at each entry."""

    def __init__(self, clock: Clock, announce: Callable[[str], None]) -> None:
        self.seconds: dict[str, float] = {}
        self._clock = clock
        self._announce = announce
        self._apart = 0.0

    @contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        self._announce(name)
        started, apart = self._clock(), self._apart
        try:
            yield
        finally:
            self._add(name, self._clock() - started - (self._apart - apart))

    @contextmanager
    def apart(self, name: str) -> Iterator[None]:
        """A pause inside a phase, counted under its own name and not in the phase's seconds."""
        started = self._clock()
        try:
            yield
        finally:
            taken = self._clock() - started
            self._apart += taken
            self._add(name, taken)

    def _add(self, name: str, seconds: float) -> None:
        self.seconds[name] = self.seconds.get(name, 0.0) + seconds
