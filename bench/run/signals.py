"""Ctrl-C and SIGTERM: when they interrupt a run, and when they have to wait."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType

SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Delay signals until the block is left. Other threads get none, so nothing changes there."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[tuple[int, FrameType | None]] = []
    handled = {number: signal.getsignal(number) for number in SIGNALS}
    waiting = {number: before for number, before in handled.items() if callable(before)}
    for each in waiting:
        signal.signal(each, lambda number, frame: came.append((number, frame)))
    try:
        yield
    finally:
        for each, before in waiting.items():
            signal.signal(each, before)
    for number, frame in came[:1]:
        waiting[signal.Signals(number)](number, frame)


EXIT_TERMINATED = 143


class Termination:
    """While entered, SIGTERM interrupts as Ctrl-C does; `came` says afterwards if it came."""

    def __init__(self) -> None:
        self.came = False

    def __enter__(self) -> "Termination":
        self._interruption = signal.getsignal(signal.SIGINT)
        self._before = signal.signal(signal.SIGTERM, self._interrupt)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        signal.signal(signal.SIGTERM, self._before)
        signal.signal(signal.SIGINT, self._interruption)

    def ignore(self) -> None:
        """Ignore both signals from now on: what is left to do takes a moment."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        self.came = True
        raise KeyboardInterrupt
