"""SIGTERM, which batch systems and `kill` send, ends a run as Ctrl-C does."""

import signal
from types import FrameType, TracebackType

EXIT_TERMINATED = 143


class Termination:
    """While entered, SIGTERM interrupts as Ctrl-C does; `came` tells afterwards which it was."""

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
        """No interruption any more: what is left to do takes a moment."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        self.came = True
        raise KeyboardInterrupt
