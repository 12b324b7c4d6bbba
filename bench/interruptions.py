"""Moments in which Ctrl-C and SIGTERM have to wait, so that nothing is left half done."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def uninterrupted() -> Iterator[None]:
    """What comes meanwhile is handled when this is left. In the main thread, as signals are."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[tuple[int, FrameType | None]] = []
    handled = {one: signal.getsignal(one) for one in SIGNALS}
    waiting = {one: before for one, before in handled.items() if callable(before)}
    for one in waiting:
        signal.signal(one, lambda number, frame: came.append((number, frame)))
    try:
        yield
    finally:
        for one, before in waiting.items():
            signal.signal(one, before)
    for number, frame in came[:1]:
        waiting[signal.Signals(number)](number, frame)
