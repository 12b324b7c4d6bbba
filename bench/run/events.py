"""Read what a worker process reports: one JSON object per line, within its deadlines."""

import json
import os
import select
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from bench.errors import SamestepError
from bench.worker.messages import EpochFigures, Event, Result, ResultEvent, Task

LARGEST_RESULT_BYTES = 2 * 2**20
POLL_SECONDS = 2.0

# seconds that a phase may take, waiting for a turn left out; `accuracy` counts from epoch to epoch
DEADLINES: Mapping[str, float] = {
    "spawn": 60,
    "environment": 60,
    "import": 300,
    "device": 120,
    "build": 120,
    "load": 120,
    "calibration": 300,
    "first_step": 600,
    "recompile": 600,
    # on a GPU XLA needs 10 s for each of a dozen programs
    "parity": 900,
    "warmup": 300,
    "step": 300,
    "latency": 300,
    "native": 600,
    "tutorial": 600,
    "power": 300,
    "accuracy": 1800,
}

# the events that show progress
PROGRESS = frozenset({"phase", "epoch"})


class DeadlineError(SamestepError):
    """A phase took longer than it may."""


class GarbageError(SamestepError):
    """The worker sent something that is not its protocol."""


def phase_sets(task: Task) -> int:
    """Return how many sets of phases a task may have: one per cell of a pilot, or per epoch."""
    if "cells" in task:
        return max(1, len(task["cells"]))
    accuracy = task["trial"].accuracy
    return 1 if accuracy is None else accuracy.epochs


class Events:
    """The events of a worker: one JSON object per line, each phase within its deadline.

    All phases together may take the sum of the deadlines, `phase_sets` times. `look` is called
    every few seconds at least.
    """

    def __init__(
        self,
        descriptor: int,
        ended: int | None,
        deadlines: Mapping[str, float],
        *,
        phase_sets: int,
        look: Callable[[], None],
    ) -> None:
        self._descriptor = descriptor
        self._watched = [descriptor] if ended is None else [descriptor, ended]
        self._deadlines = deadlines
        self._most_seconds = phase_sets * sum(deadlines.values())
        self._look = look
        self._phase = "spawn"
        self._phase_seconds = 0.0
        self._seconds = 0.0
        self._buffer = b""
        self._waiting: deque[Event] = deque()

    def next_event(self) -> Event | None:
        """Return the next event; None if the worker ended, or its pipe did.

        Raises `DeadlineError` when the seconds of the phase, or of all phases, are over, and
        `GarbageError` for a line that is no event. Events that show no progress gain no time.
        """
        while not self._waiting:
            ready = self._wait()
            self._look()
            if ready and not self._read(ready):
                return None
        event = self._waiting.popleft()
        if event["event"] in PROGRESS:
            self._phase_seconds = 0.0
        self._phase = str(event.get("phase", self._phase))
        return event

    def _wait(self) -> Sequence[int]:
        """Return what can be read, after a few seconds at most. Raises as `next_event` does."""
        limit = self._deadlines.get(self._phase, DEADLINES["spawn"])
        left = limit - self._phase_seconds
        if left <= 0:
            raise DeadlineError(
                f"no progress in phase {self._phase!r}. Expected: within {limit:g} s"
            )
        if self._seconds >= self._most_seconds:
            raise DeadlineError(
                f"no end in phase {self._phase!r}. Expected: all within {self._most_seconds:g} s"
            )
        started = time.monotonic()
        ready, _, _ = select.select(self._watched, [], [], min(left, POLL_SECONDS))
        # it took longer if this process was stopped meanwhile
        taken = min(time.monotonic() - started, POLL_SECONDS)
        self._phase_seconds += taken
        self._seconds += taken
        return ready

    def _read(self, ready: Sequence[int]) -> bool:
        """Read what is there; return False at the end of the pipe."""
        chunk = os.read(self._descriptor, 1 << 16) if self._descriptor in ready else b""
        *lines, self._buffer = (self._buffer + chunk).split(b"\n")
        if len(self._buffer) > LARGEST_RESULT_BYTES:
            raise GarbageError("the worker sent more than a result can hold")
        self._waiting.extend(map(parse_event, lines))
        return bool(chunk)


def parse_event(line: bytes) -> Event:
    """Return the event of one line; raise `GarbageError` if it is none."""
    try:
        event = json.loads(line.decode())
        # half of a character, such as in the name of a file, is a `?`: no record could hold it
        if b"\\ud" in line.lower():
            event = json.loads(json.dumps(event, ensure_ascii=False).encode(errors="replace"))
    except (ValueError, RecursionError) as error:
        raise GarbageError(f"the worker's result is not JSON. Received: {line[:60]!r}") from error
    if not isinstance(event, dict) or not is_event(event):
        raise GarbageError(f"the worker's result is not an event. Received: {line[:60]!r}")
    return cast(Event, event)


def is_event(fields: dict[str, Any]) -> bool:
    """Return whether a JSON object names its event and has what the run reads of that event."""
    name = fields.get("event")
    if name == "phase":
        return isinstance(fields.get("phase"), str)
    if name == "epoch":
        figures = (fields.get(figure) for figure in EpochFigures.__required_keys__)
        return all(isinstance(figure, int | float) for figure in figures)
    return isinstance(name, str)


def parse_result(event: ResultEvent) -> Result:
    """Return the result in an event; raise `GarbageError` if it has no status."""
    result = event.get("result")
    if not isinstance(result, dict) or not isinstance(result.get("status"), str):
        raise GarbageError(f"the worker's result has no status. Received: {str(result)[:60]!r}")
    return result
