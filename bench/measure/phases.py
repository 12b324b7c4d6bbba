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

    @contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        self._announce(name)
        started = self._clock()
        try:
            yield
        finally:
            taken = self._clock() - started
            self.seconds[name] = self.seconds.get(name, 0.0) + taken
