"""Report the progress of a run: the calls that a run makes on a display."""

from collections.abc import Sequence
from pathlib import Path

from bench.record import Record
from bench.record.preflight import PreflightModel
from bench.record.run import RunModel
from bench.spec import Trial
from bench.worker.messages import EpochFigures


class Display:
    """Shows nothing; a subclass shows what it overrides.

    Calls come between trials and when an epoch ends, and are never timed.
    """

    def looking(self, seconds: float) -> None:
        """The run looks at the idle machine for so long."""

    def preflight(self, found: PreflightModel) -> None:
        """The look has ended with these findings."""

    def piloting(self, backend: str, device: str) -> None:
        """A pilot of the backend starts."""

    def planned(self, run: RunModel, missing: Sequence[Trial]) -> None:
        """The plan is made; these of its trials have no record yet."""

    def started(self, trial: Trial) -> None:
        """A trial starts."""

    def epoch(self, trial: Trial, figures: EpochFigures) -> None:
        """An accuracy trial has trained an epoch."""

    def ended(self, record: Record) -> None:
        """A trial has ended with this record."""

    def unwritten(self, record: Record, path: Path) -> None:
        """The record could not be written to this path."""

    def added(self, trials: Sequence[Trial], why: str) -> None:
        """These trials have joined the plan."""
