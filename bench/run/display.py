"""Show a run: two lines that stay in place on a terminal, elsewhere one line per trial.

It goes to standard error; standard output is for answers, and for records that can't be written.
"""

import sys
import textwrap
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.live import Live
from rich.text import Text

from bench.record import Record, as_line
from bench.record.preflight import PreflightModel
from bench.record.run import PilotModel, RunModel
from bench.run import estimate
from bench.run.progress import Display
from bench.run.words import clock_time, describe, duration, plural, running_line
from bench.spec import Trial
from bench.worker.messages import EpochFigures

# columns; with the longest count, the bar leaves room in a terminal of 60 columns
BAR_WIDTH = 20


class WarningsDisplay(Display):
    """Shows what went wrong, and nothing else; a context manager, as the displays based on it."""

    def __init__(self) -> None:
        # not from FORCE_COLOR: a file or a pipe gets no control codes
        self._console = Console(stderr=True, highlight=False, force_terminal=sys.stderr.isatty())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Remove what stays in place; there is nothing here."""

    @property
    def is_terminal(self) -> bool:
        """Return whether lines can be replaced in place."""
        return self._console.is_terminal and not self._console.is_dumb_terminal

    def say(self, text: str) -> None:
        """Print a line; on a terminal it breaks between words."""
        if self._console.is_terminal:
            text = textwrap.fill(
                text, self._console.width, break_long_words=False, break_on_hyphens=False
            )
        self.show(text)

    def show(self, text: str) -> None:
        """Print lines as they are; the text has no markup."""
        self._console.print(text, soft_wrap=True, markup=False, emoji=False)

    def preflight(self, found: PreflightModel) -> None:
        """Print each finding that speaks against a run now; what is unknown does not."""
        for finding in found.findings:
            if finding.verdict in {"doubtful", "unfit"}:
                self.say(f"{finding.verdict}: {finding.name}: {finding.value}; {finding.reason}")

    def ended(self, record: Record) -> None:
        """Print the reason if the trial has no result."""
        if record.status != "ok":
            self.say(f"{describe(record.trial.trial())}: {record.status}: {record.reason}")

    def unwritten(self, record: Record, path: Path) -> None:
        """Print the record on standard output, so that the user can put it where it belongs."""
        self.stop()
        self.show(f"cannot write {path}: save the next line there, to the letter, and use --resume")
        # that may be a file on the same disk
        with suppress(OSError):
            print(as_line(record.model_dump()).decode(), end="", flush=True)


class TerminalDisplay(WarningsDisplay):
    """Shows a run on a terminal, or as lines in a file.

    `medians` returns a table of the speeds so far. A terminal shows it after each round that other
    trials follow; who called the run shows it after the last trial.
    """

    def __init__(self, medians: Callable[[], str] = str) -> None:
        super().__init__()
        self._medians = medians
        self._live: Live | None = None
        self._expected: dict[str, PilotModel] = {}
        self._running: list[Trial] = []
        self._epoch: EpochFigures | None = None
        self._round: int | None = None
        self._done = 0
        self._trials = 0
        self._total_seconds = 0.0
        self._done_seconds = 0.0
        self._started = 0.0
        self._estimated = True

    def stop(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    def looking(self, seconds: float) -> None:
        self.say(f"looking at the machine for {seconds:g} s")

    def piloting(self, backend: str, device: str) -> None:
        self.say(f"looking at {backend} ({device})")

    def planned(self, run: RunModel, missing: Sequence[Trial]) -> None:
        """Print the plan and what it will take, and start the two lines."""
        self._expected = {pilot.cell: pilot for pilot in run.pilot}
        self._done, self._done_seconds = 0, 0.0
        self._trials, self._started = len(missing), time.monotonic()
        self._estimated = run.estimate_seconds is not None
        self._total_seconds = sum(map(self._seconds_of, missing))
        self.say(self._plan(run, missing))
        if missing and self.is_terminal:
            # no thread that redraws beside a worker that is being timed
            self._live = Live(
                console=self._console, auto_refresh=False, transient=True, redirect_stdout=False
            )
            self._live.start()
            self._update()

    def _plan(self, run: RunModel, missing: Sequence[Trial]) -> str:
        """Return what is to run and how long it will take."""
        if not missing:
            return "no trial is left to run"
        kept = f" ({len(run.trials) - len(missing)} are done)" if run.sessions else ""
        cells = len({trial.cell for trial in missing})
        cost = f": about {duration(self._total_seconds)}" if self._estimated else ""
        return (
            f"{plural(len(missing), 'trial')} to run{kept}, {plural(cells, 'configuration')}, "
            f"profile {run.profile}{cost}"
        )

    def _seconds_of(self, trial: Trial) -> float:
        if not self._estimated:
            # the bar then counts trials, and the end is known from the second one on
            return 1.0
        pilot = self._expected.get(trial.cell.label)
        return estimate.trial_seconds(trial, pilot) if pilot else 0.0

    def started(self, trial: Trial) -> None:
        """Show the trial; before the first trial after a round, the medians so far."""
        if self._round not in {None, trial.round}:
            self._show_medians()
        self._round = trial.round
        self._running.append(trial)
        self._epoch = None
        self._update()

    def _show_medians(self) -> None:
        if self._live is not None and (table := self._medians()):
            self.show(f"\n{table}")

    def epoch(self, trial: Trial, figures: EpochFigures) -> None:
        """Show the last epoch alone, in place; not as a line."""
        self._epoch = figures
        self._update()

    def ended(self, record: Record) -> None:
        trial = record.trial.trial()
        self._done += 1
        self._done_seconds += self._seconds_of(trial)
        self._running = [other for other in self._running if other != trial]
        super().ended(record)
        if record.status == "ok" and self._live is None:
            self.say(f"{self._count()}: {describe(trial)}")
        self._update()

    def added(self, trials: Sequence[Trial], why: str) -> None:
        self._trials += len(trials)
        self._total_seconds += sum(map(self._seconds_of, trials))
        self.say(f"{why}: {plural(len(trials), 'trial')} more")
        self._update()

    def _update(self) -> None:
        """Draw the two lines again: the bar with its count, and what runs now."""
        if self._live is None:
            return
        share = self._done_seconds / self._total_seconds if self._total_seconds else 0.0
        bar = "#" * round(BAR_WIDTH * share)
        line = running_line(self._running, self._epoch, self._console.width)
        text = f"[{bar:-<{BAR_WIDTH}}] {self._count()}\n{line}"
        self._live.update(Text(text, no_wrap=True, overflow="ellipsis"), refresh=True)

    def _count(self) -> str:
        """Return `12 of 44, done about 17:40`; only the count if the end is not known."""
        left = self._seconds_left()
        count = f"{self._done} of {self._trials}"
        if left is None:
            return count
        return f"{count}, done about {clock_time(datetime.now(UTC).astimezone(), left)}"

    def _seconds_left(self) -> float | None:
        """Return the rest of the estimate, at the pace seen so far."""
        left = max(0.0, self._total_seconds - self._done_seconds)
        if self._done_seconds:
            return left * (time.monotonic() - self._started) / self._done_seconds
        return left if self._estimated else None
