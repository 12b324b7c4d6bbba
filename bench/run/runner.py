"""A run's trials: each in a fresh process, one at a time, until nothing is missing."""

import random
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from bench import mnist
from bench.errors import RecordError, SamestepError, WriteError, says_out_of_memory
from bench.files import remove_unfinished
from bench.machine.clocks import ClockWatch
from bench.machine.environment import ContentionMeter
from bench.machine.gpu_watch import GpuWatch, UsualClocks
from bench.parity.rungs import digests
from bench.record import (
    ContentionModel,
    EnvironmentModel,
    Record,
    TrialModel,
    read_record,
    write_record,
)
from bench.record.archive import ARCHIVE
from bench.record.folder import RECORDS, record_path, refuse_links
from bench.record.run import RunModel, SessionModel, SessionOutcome, read_run, write_run
from bench.run import schedule
from bench.run.outcome import Beside, Outcome, record_of
from bench.run.request import Display, Request
from bench.run.signals import uninterrupted
from bench.run.workers import Spent, Task, Workers
from bench.spec import Cell, Trial
from bench.workloads import WORKLOADS


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """A trial that may run: with its cell's certificate, if one was planned, on a CPU unwatched."""

    trial: Trial
    certificate: Record | None
    watch: GpuWatch | None


class Runner:
    """Runs what a plan still misses. The request's packages are linked at `packages`."""

    def __init__(self, request: Request, folder: Path, packages: Path, display: Display) -> None:
        self._request = request
        self._folder = folder
        self._display = display
        self._workers = Workers(request, folder, packages)
        self._data = mnist.load()
        self._clocks = UsualClocks()
        self._exhausted: dict[Cell, Record] = {}

    def resume(self, run: RunModel) -> None:
        """Check that the backends of what is missing are still the same.

        Raises `SamestepError` where versions changed: a run is of one software. And for a
        published run, which would be run again as a whole, and for links in its folder.
        """
        refuse_links(self._folder)
        if (self._folder / ARCHIVE).exists():
            raise SamestepError(
                f"{self._folder} was published and can't be resumed. Expected: a run with its "
                f"records in a folder. Received: {ARCHIVE}. Start a new run"
            )
        for folder in (self._folder, self._folder / RECORDS):
            remove_unfinished(folder)
        for backend in sorted({trial.cell.backend for trial in self.missing(run)}):
            if backend not in self._request.places:
                known = ", ".join(self._request.places)
                raise SamestepError(
                    f"the run has a backend that this samestep does not know. Expected: {known}. "
                    f"Received: {backend}"
                )
            self._display.piloting(backend, "versions")
            outcome = self._workers.look(backend, ())
            found = (outcome.result or {}).get("versions")
            expected = run.backends[backend].versions
            if found != expected:
                raise SamestepError(
                    f"{backend} has changed since the run was started. Expected: {expected}. "
                    f"Received: {found or outcome.reason}. Start a new run"
                )

    def missing(self, run: RunModel) -> list[Trial]:
        """The plan's trials that have no intact record of this run."""
        trials = (model.trial() for model in run.trials if not has_record(self._folder, run, model))
        # a cell that the pilot gave up has a record from the start, and nothing to run
        return [trial for trial in trials if trial.parity or trial.timing or trial.accuracy]

    def execute(self, run: RunModel) -> RunModel:
        """Run what is missing. An interruption is noted in the run, then goes on as it came.

        The session stands there as killed until it ends: a killed one can't note that any more.
        """
        self._workers.spent = Spent()
        missing = self.missing(run)
        for record in self._records(run, run.trials):
            self._note_exhausted(record)
        self._display.planned(run, missing)
        run = self._noted(run, run.sessions, "killed")
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
                    run = read_run(self._folder)
                    run = self._noted(run, run.sessions[:-1], outcome)
                except WriteError:
                    # of two failures to write the first says where it began
                    if not full:
                        raise
        return run

    def _noted(
        self, run: RunModel, before: Sequence[SessionModel], outcome: SessionOutcome
    ) -> RunModel:
        """The run with this session, as far as it came, after those before it; written."""
        spent = self._workers.spent
        session = SessionModel(
            started=spent.began,
            wall_seconds=spent.wall_seconds,
            outcome=outcome,
            worker_seconds=spent.worker_seconds,
            parent_cpu_seconds=spent.parent_cpu_seconds,
            preflight=self._request.preflight,
        )
        run = run.model_copy(update={"sessions": [*before, session]})
        write_run(run, self._folder)
        return run

    def _work_through(self, run: RunModel, pending: Sequence[Trial]) -> None:
        """Run what is pending, what is compared taking turns, and what follows from it."""
        while True:
            if not pending:
                run, pending = self._another_round(run)
            if not pending:
                return
            trials = schedule.together(pending)
            pending = pending[len(trials) :]
            for trial in trials:
                self._display.started(trial)
            self._keep(self._run_certified(run, trials))
            run = self._noted(run, run.sessions[:-1], "killed")
            run, again = self._again(run, trials[-1], pending)
            pending = [*again, *pending]

    def _again(
        self, run: RunModel, trial: Trial, pending: Sequence[Trial]
    ) -> tuple[RunModel, list[Trial]]:
        """At the end of a round its disturbed trials once more."""
        if trial.round is None or trial.round in {other.round for other in pending}:
            return run, []
        planned = [model.trial() for model in run.trials]
        of_round = [model for model in run.trials if model.round == trial.round]
        again = schedule.repeats(
            planned, self._records(run, of_round), run.most_repeats, run.order_seed
        )
        if not again:
            return run, []
        at = planned.index(trial) + 1
        return self._add(run, at, again, f"round {trial.round + 1} was disturbed"), again

    def _another_round(self, run: RunModel) -> tuple[RunModel, list[Trial]]:
        """At the end of all another round, where a cell needs it."""
        planned = [model.trial() for model in run.trials]
        why = schedule.why_another(
            self._timed(run),
            schedule.rounds(planned),
            most=run.most_rounds,
            steady=run.steady_rounds,
        )
        if why is None:
            return run, []
        another = schedule.another_round(planned, run.order_seed)
        return self._add(run, len(planned), another, why), another

    def _add(self, run: RunModel, at: int, trials: Sequence[Trial], why: str) -> RunModel:
        """The run with more trials, written before they run."""
        models = [*run.trials[:at], *map(TrialModel.of, trials), *run.trials[at:]]
        run = run.model_copy(update={"trials": models})
        write_run(run, self._folder)
        self._display.added(trials, why)
        return run

    def _records(self, run: RunModel, models: Iterable[TrialModel]) -> list[Record]:
        return [
            read_record(record_path(self._folder, model))
            for model in models
            if has_record(self._folder, run, model)
        ]

    def _timed(self, run: RunModel) -> dict[Cell, list[Record]]:
        """The good timing records of each cell."""
        found: dict[Cell, list[Record]] = {}
        timed = [model for model in run.trials if model.timing is not None]
        for record in self._records(run, timed):
            if record.status == "ok":
                found.setdefault(record.cell, []).append(record)
        return found

    def _run_certified(self, run: RunModel, trials: Sequence[Trial]) -> list[Record]:
        """The trials' records; without a good certificate of its cell a trial does not run.

        Nor does one of a cell that ran out of memory, for it is as large as before.
        """
        refused: list[Record] = []
        ready: list[Ready] = []
        for trial in trials:
            found = self._certificate(run, trial)
            hindrance = self._exhausted.get(trial.cell, found)
            if hindrance is not None and hindrance.status != "ok":
                refused.append(self._refused(run, trial, hindrance))
            else:
                ready.append(Ready(trial=trial, certificate=found, watch=watch_for(trial)))
        return [*refused, *self._run_trials(run, ready)]

    def _refused(self, run: RunModel, trial: Trial, hindrance: Record) -> Record:
        # one that was not run itself says so already
        why = (hindrance.reason or "").removeprefix("not run: ")
        outcome = Outcome(status=hindrance.status, reason=f"not run: {why}", result=None)
        return record_of(run.run_id, trial, outcome, self._environment(run, trial), Beside())

    def _certificate(self, run: RunModel, trial: Trial) -> Record | None:
        """The last parity record of the trial's cell before it; None where none was planned."""
        last = None
        for model in run.trials:
            planned = model.trial()
            if planned == trial:
                break
            if planned.kind == "parity" and planned.cell == trial.cell:
                last = model
        return None if last is None else read_record(record_path(self._folder, last))

    def _run_trials(self, run: RunModel, ready: Sequence[Ready]) -> list[Record]:
        if not ready:
            return []
        meter, clocks = ContentionMeter(time.monotonic()), ClockWatch()
        order = random.Random(f"{run.order_seed} turns {ready[0].trial.name}")
        outcomes = self._workers.work([self._task(one) for one in ready], order)
        used = [(outcome.result or {}).get("cpu_seconds") for outcome in outcomes]
        known = [seconds for seconds in used if seconds is not None]
        # what their fellows used is no one else's
        together = sum(known) if len(known) == len(used) else None
        load = meter.read(time.monotonic(), together)
        load = load.model_copy(update={"clock_jump_seconds": clocks.jump_seconds()})
        return [
            record_of(
                run.run_id,
                one.trial,
                outcome,
                self._environment(run, one.trial),
                self._beside(one, load.model_copy(update={"worker_cpu_seconds": own})),
                one.certificate.sha256 if one.certificate else None,
            )
            for one, outcome, own in zip(ready, outcomes, used, strict=True)
        ]

    def _beside(self, one: Ready, load: ContentionModel) -> Beside:
        if one.watch is None:
            return Beside(load=load)
        use, device = one.watch.use(), one.trial.cell.execution.device
        usual = self._clocks.usual(device)
        if one.trial.timing is not None:
            self._clocks.note(device, use)
        return Beside(load=load, gpu=use, usual_megahertz=usual)

    def _task(self, one: Ready) -> Task:
        trial = one.trial
        workload = WORKLOADS[trial.cell.workload]
        initial = mnist.initial_parameters(workload, trial.seed, trial.cell.execution.dtype)
        return Task(
            backend=trial.cell.backend,
            content={
                "trial": asdict(trial),
                "digests": digests(trial.seed, self._data, initial),
                "dump": self._dump_of(trial),
            },
            name=trial.name,
            listen=lambda event: self._heard(one, event),
            setup=trial.setup,
            cache=cache_of(trial),
        )

    def _dump_of(self, trial: Trial) -> str | None:
        """Where a float64 parity trial writes its arrays; the worker has a folder of its own."""
        if self._request.dump is None or trial.parity is None:
            return None
        exact = trial.parity.precision == "float64"
        return str(self._request.dump.resolve()) if exact else None

    def _heard(self, one: Ready, event: Mapping[str, Any]) -> None:
        if one.watch is not None:
            one.watch.heard(event)
        if event["event"] == "epoch":
            self._display.epoch(one.trial, event)

    def _keep(self, records: Sequence[Record]) -> None:
        """Write them; what can't be written is shown, for it was measured.

        Raises the first `WriteError` when all were tried.
        """
        failed = None
        for record in records:
            path = record_path(self._folder, record.trial)
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

    def _environment(self, run: RunModel, trial: Trial) -> EnvironmentModel:
        backend = trial.cell.backend
        return self._workers.environment(backend, run.backends[backend].versions)


def watch_for(trial: Trial) -> GpuWatch | None:
    device = trial.cell.execution.device
    return None if device == "cpu" else GpuWatch(device)


def cache_of(trial: Trial) -> Literal["none", "cold", "kept"]:
    """In the mode that a user gets without asking, nothing is kept; that is the default too."""
    if trial.cell.execution.mode == "default":
        return "none"
    return "cold" if trial.timing is not None and trial.timing.cold else "kept"


def has_record(folder: Path, run: RunModel, trial: TrialModel) -> bool:
    """Whether this trial left an intact record of this run; a damaged one is run again."""
    try:
        record = read_record(record_path(folder, trial))
    except RecordError:
        return False
    return record.run_id == run.run_id and record.trial == trial
