"""A run's folder while the run goes on: its plan, its records, and what is still missing."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.errors import RecordError, SamestepError, UsageError
from bench.files import remove_unfinished
from bench.record import Record, TrialModel, read_record
from bench.record.archive import ARCHIVE
from bench.record.run import RUN_FILE, RunModel, SessionModel, read_run, write_run
from bench.record.stored import RECORDS, record_path
from bench.spec import Cell, Trial


@dataclass(frozen=True, slots=True)
class RunFolder:
    """The folder of a run that is planned, measured or resumed."""

    path: Path

    def require_new(self) -> None:
        """Raise `UsageError` if the folder exists and is not an empty folder."""
        if self.path.exists() and (not self.path.is_dir() or any(self.path.iterdir())):
            raise UsageError(
                f"{self.path} is in use. Expected: a new or empty folder. "
                f"To finish the run in it: --resume {self.path}"
            )

    def clear_for_resume(self) -> None:
        """Remove what a killed session left half written.

        Raises `RecordError` for links in the folder, and `SamestepError` for a published run,
        which would be run again as a whole.
        """
        refuse_links(self.path)
        if (self.path / ARCHIVE).exists():
            raise SamestepError(
                f"{self.path} was published and can't be resumed. Expected: a run with its "
                f"records in a folder. Received: {ARCHIVE}. Start a new run"
            )
        for folder in (self.path, self.path / RECORDS):
            remove_unfinished(folder)

    def read(self) -> RunModel:
        """Return the run as it is on disk; raises `RecordError` if the folder holds none."""
        return read_run(self.path)

    def read_planned(self) -> RunModel | None:
        """Return the run as it is on disk; None if it has no plan yet."""
        return self.read() if (self.path / RUN_FILE).exists() else None

    def add_trials(self, run: RunModel, place: int, trials: Iterable[Trial]) -> RunModel:
        """Write the run with more trials, at this place of its plan, and return it."""
        models = [*run.trials[:place], *map(TrialModel.of, trials), *run.trials[place:]]
        return self._write(run.model_copy(update={"trials": models}))

    def set_sessions(self, run: RunModel, sessions: Sequence[SessionModel]) -> RunModel:
        """Write the run with these sessions and return it."""
        return self._write(run.model_copy(update={"sessions": list(sessions)}))

    def _write(self, run: RunModel) -> RunModel:
        write_run(run, self.path)
        return run

    def record_path(self, trial: TrialModel) -> Path:
        """Return the path of the trial's record."""
        return record_path(self.path, trial)

    def has_record(self, run: RunModel, trial: TrialModel) -> bool:
        """Return whether the trial left an intact record of this run; a damaged one is not."""
        return self._record(run, trial) is not None

    def records(self, run: RunModel, trials: Iterable[TrialModel]) -> list[Record]:
        """Return the intact records of these trials."""
        records = (self._record(run, trial) for trial in trials)
        return [record for record in records if record is not None]

    def _record(self, run: RunModel, trial: TrialModel) -> Record | None:
        try:
            record = read_record(self.record_path(trial))
        except RecordError:
            return None
        return record if record.run_id == run.run_id and record.trial == trial else None

    def missing(self, run: RunModel) -> list[Trial]:
        """Return the plan's trials that have no intact record of this run."""
        trials = (model.trial() for model in run.trials if not self.has_record(run, model))
        # a cell that the pilot gave up has a record from the start, and nothing to run
        return [trial for trial in trials if trial.parity or trial.timing or trial.accuracy]

    def good_timings(self, run: RunModel) -> dict[Cell, list[Record]]:
        """Return for each cell the records of its timing trials that ended well."""
        timings: dict[Cell, list[Record]] = {}
        timed = [model for model in run.trials if model.timing is not None]
        for record in self.records(run, timed):
            if record.status == "ok":
                timings.setdefault(record.cell, []).append(record)
        return timings

    def certificate_of(self, run: RunModel, trial: Trial) -> Record | None:
        """Return the parity certificate under which the trial runs; None if none is planned.

        Raises `RecordError` if the certificate is planned and can't be read.
        """
        wanted = TrialModel.of(trial)
        certificate = next(
            (parity for planned, parity in planned_certificates(run.trials) if planned == wanted),
            None,
        )
        return None if certificate is None else read_record(self.record_path(certificate))


def planned_certificates(
    trials: Iterable[TrialModel],
) -> Iterator[tuple[TrialModel, TrialModel | None]]:
    """Yield each trial of a plan with its certificate.

    The certificate is the last parity trial of its cell that is planned before it; None if there
    is no such trial.
    """
    last: dict[Cell, TrialModel] = {}
    for trial in trials:
        yield trial, last.get(trial.cell)
        if trial.kind == "parity":
            last[trial.cell] = trial


def refuse_links(folder: Path) -> None:
    """Raise `RecordError` if anything in a run's folder is a link, or can't be looked at.

    Through links in a downloaded run the harness would write logs, records and figures into any
    folder of the user's, and remove there what it takes for its own figures.
    """
    try:
        link = first_link(folder)
    except OSError as error:
        raise RecordError(f"cannot read {error.filename}: {error.strerror}") from error
    if link is not None:
        raise RecordError(
            f"{link} is a link. Expected: the run's own files and folders. "
            f"Received: a link to {link.readlink()}. Remove it"
        )


def first_link(folder: Path) -> Path | None:
    """Return a link in the folder, or in a folder in it; None if there is none. Raises `OSError`.

    No file of the run lies deeper: what does is a compiler's, in its cache.
    """
    inside = list(folder.iterdir())
    folders = [path for path in inside if path.is_dir() and not path.is_symlink()]
    below = [path for folder in folders for path in folder.iterdir()]
    return next(filter(Path.is_symlink, [*inside, *below]), None)
