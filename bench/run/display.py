"""Show a run on a terminal as a bar with the time left, elsewhere as one line per trial.

It goes to standard error; standard output is for answers, and for records that can't be written.
"""

import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TextColumn

from bench.record import Record, as_line
from bench.record.preflight import PreflightModel
from bench.record.run import PilotModel, RunModel
from bench.run import estimate
from bench.run.progress import Display
from bench.spec import Trial
from bench.worker.messages import EpochFigures


def duration(seconds: float) -> str:
    """Return `45 s`, `12 min` or `1 h 05 min`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"


def plural(number: int, what: str) -> str:
    """Return `1 trial` or `2 trials`."""
    return f"{number} {what}{'' if number == 1 else 's'}"


class TerminalDisplay(Display):
    """Shows a run on a rich console; a context manager, because it removes its bar at the end."""

    def __init__(self) -> None:
        self._console = Console(stderr=True, highlight=False)
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[count]}, {task.fields[left]} left"),
            console=self._console,
            disable=not self._console.is_terminal,
            # no thread that redraws beside a worker that is being timed
            auto_refresh=False,
        )
        self._bar: TaskID | None = None
        self._expected: dict[str, PilotModel] = {}
        self._done = 0
        self._trials = 0
        self._total_seconds = 0.0
        self._done_seconds = 0.0
        self._started = 0.0
        self._estimated = True

    def __enter__(self) -> "TerminalDisplay":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def say(self, text: str) -> None:
        """Print a line above the bar; the text has no markup."""
        self._console.print(escape(text), soft_wrap=True)

    def looking(self, seconds: float) -> None:
        self.say(f"looking at the machine for {seconds:g} s")

    def preflight(self, found: PreflightModel) -> None:
        """Print each finding that speaks against a run now; what is unknown does not."""
        for finding in found.findings:
            if finding.verdict in {"doubtful", "unfit"}:
                self.say(f"{finding.verdict}: {finding.name}: {finding.value}; {finding.reason}")

    def piloting(self, backend: str, device: str) -> None:
        self.say(f"looking at {backend} ({device})")

    def planned(self, run: RunModel, missing: Sequence[Trial]) -> None:
        """Print the plan and what it will take, and start the bar."""
        self._expected = {pilot.cell: pilot for pilot in run.pilot}
        self._done, self._done_seconds = 0, 0.0
        self._trials, self._started = len(missing), time.monotonic()
        self._estimated = run.estimate_seconds is not None
        self._total_seconds = sum(map(self._seconds_of, missing))
        kept = f" ({len(run.trials) - len(missing)} are done)" if run.sessions else ""
        cells = len({trial.cell for trial in missing})
        cost = f": about {duration(self._total_seconds)}" if self._estimated else ""
        self.say(
            f"{plural(len(missing), 'trial')} to run{kept}, {plural(cells, 'cell')}, "
            f"profile {run.profile}{cost}"
        )
        self._progress.start()
        self._bar = self._progress.add_task("", total=self._total_seconds, count="", left="")
        self._update()

    def _seconds_of(self, trial: Trial) -> float:
        if not self._estimated:
            # the bar then counts trials, and the time left is known from the second one on
            return 1.0
        pilot = self._expected.get(trial.cell.label)
        return estimate.trial_seconds(trial, pilot) if pilot else 0.0

    def started(self, trial: Trial) -> None:
        self._update(describe(trial))

    def epoch(self, trial: Trial, figures: EpochFigures) -> None:
        total = trial.accuracy.epochs if trial.accuracy else "?"
        self.say(
            f"{describe(trial)}, epoch {figures['epoch']}/{total}: "
            f"train loss {figures['train_loss']:.4f}, accuracy {figures['train_accuracy']:.4f}; "
            f"test loss {figures['test_loss']:.4f}, accuracy {figures['test_accuracy']:.4f}"
        )

    def ended(self, record: Record) -> None:
        trial = record.trial.trial()
        self._done += 1
        self._done_seconds += self._seconds_of(trial)
        self._update()
        if record.status != "ok":
            self.say(f"{describe(trial)}: {record.status}: {record.reason}")
        elif not self._console.is_terminal:
            self.say(f"{self._done}/{self._trials} {describe(trial)}: ok, {self._left()} left")

    def unwritten(self, record: Record, path: Path) -> None:
        """Print the record on standard output, so that the user can put it where it belongs."""
        self.say(f"cannot write {path}: save the next line there, to the letter, and use --resume")
        # that may be a file on the same disk
        with suppress(OSError):
            print(as_line(record.model_dump()).decode(), end="", flush=True)

    def added(self, trials: Sequence[Trial], why: str) -> None:
        self._trials += len(trials)
        self._total_seconds += sum(map(self._seconds_of, trials))
        if self._bar is not None:
            self._progress.update(self._bar, total=self._total_seconds)
        self.say(f"{why}: {plural(len(trials), 'trial')} more")

    def _update(self, description: str | None = None) -> None:
        if self._bar is not None:
            self._progress.update(
                self._bar,
                description=description,
                completed=self._done_seconds,
                count=f"{self._done}/{self._trials}",
                left=self._left(),
                refresh=True,
            )

    def _left(self) -> str:
        """Return the rest of the estimate, at the pace seen so far."""
        pace = 1.0
        if not self._estimated and not self._done_seconds:
            return "?"
        if self._done_seconds:
            pace = (time.monotonic() - self._started) / self._done_seconds
        return duration(max(0.0, self._total_seconds - self._done_seconds) * pace)


def describe(trial: Trial) -> str:
    """Return a trial in words: kind, workload, backend, device, mode and turn."""
    cell = trial.cell
    turn = f"seed {trial.seed}" if trial.round is None else f"round {trial.round + 1}"
    if trial.parity is not None:
        turn = trial.parity.precision
    mode = "" if cell.execution.mode == "default" else f" {cell.execution.mode}"
    return f"{trial.kind} {cell.workload} {cell.backend} {cell.execution.device}{mode}, {turn}"
