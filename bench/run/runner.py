"""Run a plan's trials, each in a fresh process, until nothing is missing."""

from collections.abc import Sequence
from pathlib import Path

from bench.errors import SamestepError, WriteError, says_out_of_memory
from bench.record import Record, write_record
from bench.record.folder import RunFolder
from bench.record.run import RunModel, SessionModel, SessionOutcome
from bench.run import schedule
from bench.run.progress import Display
from bench.run.request import Request
from bench.run.signals import uninterrupted
from bench.run.trials import Ready, Trials, gpu_watch
from bench.run.workers import Spent, Workers
from bench.spec import Cell, Trial
from bench.stats import SMALLEST_SAMPLE


class Runner:
    """Runs what a plan still misses. The request's packages are linked at `packages`."""

    def __init__(self, request: Request, folder: Path, packages: Path, display: Display) -> None:
        self._request = request
        self._folder = RunFolder(folder)
        self._display = display
        self._workers = Workers(request, folder, packages)
        self._trials = Trials(request, self._workers, display)
        self._exhausted: dict[Cell, Record] = {}
        self._is_resumed = False
        self._unchanged: set[str] = set()

    def resume(self, run: RunModel) -> None:
        """Clear the folder and check that the backends of what is missing are still the same.

        Raises `SamestepError` if versions changed: a run is of one software. Raises also as
        `RunFolder.clear_for_resume` does.
        """
        self._folder.clear_for_resume()
        self._is_resumed = True
        self._require_unchanged(self._folder.missing(run), run)

    def _require_unchanged(self, trials: Sequence[Trial], run: RunModel) -> None:
        """Check the backends of trials that join an earlier session's; each is checked once."""
        if not self._is_resumed:
            return
        for backend in sorted({trial.cell.backend for trial in trials} - self._unchanged):
            self._require_known(backend, run.versus.get(backend))
            self._require_same(backend, run)
            self._unchanged.add(backend)

    def _require_known(self, backend: str, environment_of: str | None) -> None:
        """Raise `SamestepError` unless the request has a place and a Python for the backend."""
        if self._request.versus.get(backend) != environment_of:
            raise SamestepError(
                f"the run has {environment_of} in another environment too. "
                f"Expected: --versus {backend}={environment_of}:PYTHON. "
                f"Received: {self._request.versus.get(backend, 'nothing')}"
            )
        if (environment_of or backend) not in self._request.places:
            known = ", ".join(self._request.places)
            raise SamestepError(
                f"the run has a backend that this samestep does not know. Expected: {known}. "
                f"Received: {backend}"
            )

    def _require_same(self, backend: str, run: RunModel) -> None:
        self._display.piloting(backend, "versions")
        outcome = self._workers.look(backend, ())
        received = outcome.reported.get("versions")
        expected = run.backends[backend].versions
        if received != expected:
            raise SamestepError(
                f"{backend} has changed since the run was started. Expected: {expected}. "
                f"Received: {received or outcome.reason}. Start a new run"
            )

    def extend(self, run: RunModel, rounds: int) -> RunModel:
        """Add rounds to the plan until it has so many; return the run."""
        planned = [model.trial() for model in run.trials]
        for _ in range(schedule.rounds(planned), rounds):
            another = schedule.another_round(planned, run.order_seed)
            self._require_unchanged(another, run)
            run = self._folder.add_trials(run, len(planned), another)
            planned += another
        return run

    def execute(self, run: RunModel) -> RunModel:
        """Run what is missing. An interruption is written into the run, then raised again.

        The session stands there as killed until it ends: a killed one can't correct that.
        """
        self._workers.spent = Spent()
        missing = self._folder.missing(run)
        for record in self._folder.records(run, run.trials):
            self._note_exhausted(record)
        self._display.planned(run, missing)
        run = self._add_session(run, run.sessions, "killed")
        outcome: SessionOutcome = "interrupted"
        full = False
        try:
            self._work_through(run, missing)
            outcome = "complete"
        except WriteError:
            full = True
            raise
        finally:
            with uninterrupted():
                try:
                    # as it is on disk: trials may have been added to it
                    run = self._folder.read()
                    run = self._add_session(run, run.sessions[:-1], outcome)
                except WriteError:
                    # the first of two failures to write says where it began
                    if not full:
                        raise
        return run

    def _add_session(
        self, run: RunModel, before: Sequence[SessionModel], outcome: SessionOutcome
    ) -> RunModel:
        """Write this session, as far as it came, after the sessions before it."""
        spent = self._workers.spent
        session = SessionModel(
            started=spent.began,
            wall_seconds=spent.wall_seconds,
            outcome=outcome,
            worker_seconds=spent.worker_seconds,
            parent_cpu_seconds=spent.parent_cpu_seconds,
            preflight=self._request.preflight,
        )
        return self._folder.set_sessions(run, [*before, session])

    def _work_through(self, run: RunModel, pending: Sequence[Trial]) -> None:
        """Run what is pending, what is compared taking turns, and what follows from it."""
        while True:
            if not pending:
                run, pending = self._add_round(run)
            if not pending:
                return
            trials = schedule.next_trials(pending)
            pending = pending[len(trials) :]
            for trial in trials:
                self._display.started(trial)
            self._keep(self._run_certified(run, trials))
            run = self._add_session(run, run.sessions[:-1], "killed")
            run, again = self._add_repeats(run, trials[-1], pending)
            pending = [*again, *pending]

    def _add_repeats(
        self, run: RunModel, trial: Trial, pending: Sequence[Trial]
    ) -> tuple[RunModel, list[Trial]]:
        """Add the disturbed trials of a round once more, at its end."""
        if trial.round is None or trial.round in {other.round for other in pending}:
            return run, []
        planned = [model.trial() for model in run.trials]
        of_round = [model for model in run.trials if model.round == trial.round]
        records = self._folder.records(run, of_round)
        again = schedule.repeats(planned, records, run.most_repeats, run.order_seed)
        if not again:
            return run, []
        place = planned.index(trial) + 1
        return self._add(run, place, again, f"round {trial.round + 1} was disturbed"), again

    def _add_round(self, run: RunModel) -> tuple[RunModel, list[Trial]]:
        """Add another round if a cell needs it, once all else has run."""
        planned = [model.trial() for model in run.trials]
        why = schedule.why_another(
            self._folder.good_timings(run),
            schedule.rounds(planned),
            most=run.most_rounds,
            # earlier versions planned more, because their verdicts needed more
            steady=min(run.steady_rounds, SMALLEST_SAMPLE),
        )
        if why is None:
            return run, []
        another = schedule.another_round(planned, run.order_seed)
        self._require_unchanged(another, run)
        return self._add(run, len(planned), another, why), another

    def _add(self, run: RunModel, place: int, trials: Sequence[Trial], why: str) -> RunModel:
        """Write more trials into the plan before they run."""
        run = self._folder.add_trials(run, place, trials)
        self._display.added(trials, why)
        return run

    def _run_certified(self, run: RunModel, trials: Sequence[Trial]) -> list[Record]:
        """Return the trials' records; those of a cell with a failed certificate do not run.

        Trials of a cell that ran out of memory are skipped: they need as much again.
        """
        refused: list[Record] = []
        ready: list[Ready] = []
        for trial in trials:
            certificate = self._folder.certificate_of(run, trial)
            hindrance = self._exhausted.get(trial.cell, certificate)
            if hindrance is not None and hindrance.status != "ok":
                refused.append(self._trials.refuse(run, trial, hindrance))
            else:
                ready.append(Ready(trial=trial, certificate=certificate, watch=gpu_watch(trial)))
        return [*refused, *self._trials.run(run, ready)]

    def _keep(self, records: Sequence[Record]) -> None:
        """Write the records; a record that can't be written is shown, for it was measured.

        Raises the first `WriteError` when all were tried.
        """
        failed = None
        for record in records:
            path = self._folder.record_path(record.trial)
            try:
                write_record(record, path)
            except WriteError as error:
                self._display.unwritten(record, path)
                failed = failed or error
            self._note_exhausted(record)
            self._display.ended(record)
        if failed is not None:
            raise failed

    def _note_exhausted(self, record: Record) -> None:
        if says_out_of_memory(record.reason):
            self._exhausted.setdefault(record.cell, record)
