"""A run: a pilot of each backend, the plan, then each trial in a fresh process, one at a time."""

import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, Protocol

from backends import BACKENDS, Place
from bench import __version__, mnist, plan, schedule
from bench.collect import record_of
from bench.doctor import PreflightModel
from bench.environment import ContentionMeter, environment
from bench.errors import RecordError, SamestepError
from bench.parity.rungs import digests
from bench.piloting import Miss, Pilot, missed_trial, note
from bench.record import Record, TrialModel, read_record, write_record
from bench.run_file import (
    PilotModel,
    RunModel,
    SessionModel,
    read_run,
    record_path,
    write_run,
)
from bench.spawn import DEADLINES, Launch, Listener, Outcome, run_worker
from bench.spec import Cell, Execution, Setup, Trial, Workload
from bench.workloads import WORKLOADS


class Display(Protocol):
    """Who is told how a run goes. Called between trials, and when an epoch ends; never timed."""

    def piloting(self, backend: str, device: str) -> None: ...

    def planned(self, run: RunModel, missing: Sequence[Trial]) -> None: ...

    def started(self, trial: Trial) -> None: ...

    def epoch(self, trial: Trial, figures: Mapping[str, Any]) -> None: ...

    def ended(self, record: Record) -> None: ...

    def added(self, trials: Sequence[Trial], why: str) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What was asked for. `interpreters` maps backend names to the Python of their environment."""

    workloads: Sequence[Workload]
    backends: Sequence[str]
    devices: Sequence[str]
    profile: plan.Profile
    interpreters: Mapping[str, str]
    places: Mapping[str, Place] = field(default_factory=lambda: BACKENDS)
    packages: Sequence[Path] = ()
    deadlines: Mapping[str, float] = field(default_factory=lambda: DEADLINES)
    dump: Path | None = None
    preflight: PreflightModel | None = None

    def cells(self, backend: str, device: str) -> list[Cell]:
        return [
            Cell(
                workload=workload.name,
                backend=backend,
                execution=Execution(device=device, batch_size=workload.batch_size),
            )
            for workload in self.workloads
        ]


@dataclass(slots=True)
class Spent:
    """Wall seconds in which a worker ran, and the parent's own CPU time meanwhile."""

    worker_seconds: float = 0.0
    parent_cpu_seconds: float = 0.0

    @contextmanager
    def watching(self) -> Iterator[None]:
        started, cpu = time.monotonic(), time.process_time()
        try:
            yield
        finally:
            self.worker_seconds += time.monotonic() - started
            self.parent_cpu_seconds += time.process_time() - cpu


class Runner:
    """Runs a request in `folder`. The request's packages are linked at `packages`."""

    def __init__(self, request: Request, folder: Path, packages: Path, display: Display) -> None:
        self._request = request
        self._folder = folder
        self._packages = packages
        self._display = display
        self._data = mnist.load()
        self._spent = Spent()

    def new_run(self) -> RunModel:
        """Pilot every backend and write the plan into the folder."""
        started = time.monotonic()
        pilot = self._pilot(self._request.cells)
        order_seed = secrets.randbelow(2**32)
        trials = plan.expand(pilot.figures, self._request.profile, order_seed)
        run = self._planned(
            pilot,
            trials,
            order_seed=order_seed,
            pilot_seconds=time.monotonic() - started,
            estimate_seconds=plan.estimate_seconds(trials, pilot.figures),
        )
        for cell, miss in pilot.misses.items():
            self._write_miss(run, cell, miss)
        return run

    def parity_run(self) -> RunModel:
        """See which backends are there and plan the parity trials of each cell, nothing else."""
        started = time.monotonic()
        pilot = self._pilot(lambda backend, device: [])
        cells = [
            cell
            for backend in self._request.backends
            for device in self._request.devices
            for cell in self._request.cells(backend, device)
        ]
        trials = plan.parity_trials(cells, self._request.profile)
        return self._planned(
            pilot,
            trials,
            order_seed=0,
            pilot_seconds=time.monotonic() - started,
            estimate_seconds=None,
        )

    def _planned(self, pilot: Pilot, trials: Sequence[Trial], **figures: Any) -> RunModel:
        """The run of these trials, written into the folder."""
        run = RunModel(
            schema_version=1,
            run_id=f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(3)}",
            samestep=__version__,
            created=now(),
            profile=self._request.profile.name,
            most_repeats=schedule.most_repeats(trials) if self._request.profile.repeats else 0,
            most_rounds=self._request.profile.most_rounds,
            environment=environment({}, {}),
            backends=pilot.backends,
            pilot=[
                PilotModel(cell=cell.label, **asdict(found))
                for cell, found in pilot.figures.items()
            ],
            calibration=pilot.calibration,
            trials=[
                *(TrialModel.of(missed_trial(cell)) for cell in pilot.misses),
                *map(TrialModel.of, trials),
            ],
            sessions=[],
            **figures,
        )
        write_run(run, self._folder)
        return run

    def _pilot(self, cells_of: Callable[[str, str], list[Cell]]) -> Pilot:
        """A look at every backend, and at the cells that `cells_of` names for it and a device."""
        pilot = Pilot()
        for backend in self._request.backends:
            for device in self._request.devices:
                self._display.piloting(backend, device)
                cells = cells_of(backend, device)
                started = time.monotonic()
                outcome = self._look(backend, cells)
                note(pilot, backend, cells, outcome, time.monotonic() - started)
        return pilot

    def _look(self, backend: str, cells: Sequence[Cell]) -> Outcome:
        device = cells[0].execution.device.replace(":", "") if cells else "probe"
        return self._work(
            backend,
            {"cells": [asdict(cell) for cell in cells]},
            f"pilot-{backend}_{device}",
            ignore,
        )

    def _work(
        self,
        backend: str,
        task: dict[str, Any],
        name: str,
        listen: Listener,
        setup: Setup | None = None,
    ) -> Outcome:
        launch = Launch(
            interpreter=self._request.interpreters[backend],
            packages=self._packages,
            variables={**self._variables(backend), **set_up(setup)},
            deadlines=self._request.deadlines,
        )
        job = {"backend": backend, "adapter": self._request.places[backend].adapter, **task}
        with self._spent.watching():
            return run_worker(job, launch, self._folder / "logs" / f"{name}.log", listen)

    def _variables(self, backend: str) -> dict[str, str]:
        # a KERAS_HOME of the run's own: nothing of the user's configuration changes a trial
        home = str((self._folder / "keras").resolve())
        return {**self._request.places[backend].variables, "KERAS_HOME": home}

    def _write_miss(self, run: RunModel, cell: Cell, miss: Miss) -> None:
        trial = missed_trial(cell)
        outcome = Outcome(status=miss.status, reason=miss.reason, result=None)
        self._write(run, record_of(run.run_id, trial, outcome, self._environment(run, trial), None))

    def _write(self, run: RunModel, record: Record) -> None:
        write_record(record, record_path(self._folder, record.trial))
        self._display.ended(record)

    def _environment(self, run: RunModel, trial: Trial) -> Any:
        backend = trial.cell.backend
        return environment(run.backends[backend].versions, self._request.places[backend].variables)

    def resume(self, run: RunModel) -> None:
        """Check that the backends of what is missing are still the same.

        Raises `SamestepError` where versions changed: a run is of one software.
        """
        for backend in sorted({trial.cell.backend for trial in self.missing(run)}):
            if backend not in self._request.places:
                known = ", ".join(self._request.places)
                raise SamestepError(
                    f"the run has a backend that this samestep does not know. Expected: {known}. "
                    f"Received: {backend}"
                )
            self._display.piloting(backend, "versions")
            outcome = self._look(backend, ())
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
        """Run what is missing. An interruption is noted in the run, then goes on as it came."""
        started_at, started = now(), time.monotonic()
        outcome: Literal["complete", "interrupted"] = "interrupted"
        self._spent = Spent()
        missing = self.missing(run)
        self._display.planned(run, missing)
        try:
            self._work_through(run, missing)
            outcome = "complete"
        finally:
            session = SessionModel(
                started=started_at,
                wall_seconds=time.monotonic() - started,
                outcome=outcome,
                worker_seconds=self._spent.worker_seconds,
                parent_cpu_seconds=self._spent.parent_cpu_seconds,
                preflight=self._request.preflight,
            )
            # as it is on disk: trials may have been added to it
            run = read_run(self._folder)
            run = run.model_copy(update={"sessions": [*run.sessions, session]})
            write_run(run, self._folder)
        return run

    def _work_through(self, run: RunModel, pending: Sequence[Trial]) -> None:
        """Run what is pending, and what follows from it."""
        while pending:
            trial, *pending = pending
            self._display.started(trial)
            self._write(run, self._run_certified(run, trial))
            run, more = self._follow_up(run, trial, pending)
            pending = [*more, *pending]

    def _follow_up(
        self, run: RunModel, trial: Trial, pending: Sequence[Trial]
    ) -> tuple[RunModel, list[Trial]]:
        """At the end of a round its disturbed trials once more; at the end of all another round."""
        planned = [model.trial() for model in run.trials]
        if trial.round is not None and trial.round not in {other.round for other in pending}:
            of_round = [model for model in run.trials if model.round == trial.round]
            again = schedule.repeats(
                planned, self._records(run, of_round), run.most_repeats, run.order_seed
            )
            if again:
                at = planned.index(trial) + 1
                return self._add(run, at, again, f"round {trial.round + 1} was disturbed"), again
        if pending or schedule.rounds(planned) >= run.most_rounds:
            return run, []
        wide = schedule.too_wide(self._timed(run))
        if not wide:
            return run, []
        another = schedule.another_round(planned, run.order_seed)
        cells = f"{len(wide)} cell{'' if len(wide) == 1 else 's'}"
        why = f"an interval of {cells} is wider than {100 * schedule.WIDEST_INTERVAL:g} %"
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
                found.setdefault(record.trial.trial().cell, []).append(record)
        return found

    def _run_certified(self, run: RunModel, trial: Trial) -> Record:
        """The trial's record; without a good certificate of its cell it does not run."""
        certificate = self._certificate(run, trial)
        if certificate is None or certificate.status == "ok":
            return self._run_trial(run, trial, certificate.sha256 if certificate else None)
        # a certificate that was not run itself says so already
        why = (certificate.reason or "").removeprefix("not run: ")
        outcome = Outcome(status=certificate.status, reason=f"not run: {why}", result=None)
        return record_of(run.run_id, trial, outcome, self._environment(run, trial), None)

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

    def _run_trial(self, run: RunModel, trial: Trial, certificate: str | None) -> Record:
        workload = WORKLOADS[trial.cell.workload]
        initial = mnist.initial_parameters(workload, trial.seed, trial.cell.execution.precision)
        task = {
            "trial": asdict(trial),
            "digests": digests(trial.seed, self._data, initial),
            "dump": self._dump_of(trial),
        }
        meter = ContentionMeter(time.monotonic())
        outcome = self._work(
            trial.cell.backend,
            task,
            trial.name,
            lambda event: self._heard(trial, event),
            trial.setup,
        )
        contention = meter.read(time.monotonic(), (outcome.result or {}).get("cpu_seconds"))
        return record_of(
            run.run_id, trial, outcome, self._environment(run, trial), contention, certificate
        )

    def _dump_of(self, trial: Trial) -> str | None:
        """Where a float64 parity trial writes its arrays; the worker has a folder of its own."""
        if self._request.dump is None or trial.parity is None:
            return None
        exact = trial.parity.precision == "float64"
        return str(self._request.dump.resolve()) if exact else None

    def _heard(self, trial: Trial, event: Mapping[str, Any]) -> None:
        if event["event"] == "epoch":
            self._display.epoch(trial, event)


def set_up(setup: Setup | None) -> dict[str, str]:
    """A trial's set-up as variables; the padding's name means nothing."""
    if setup is None:
        return {}
    return {"PYTHONHASHSEED": str(setup.hash_seed), "SAMESTEP_PADDING": "x" * setup.padding_bytes}


def ignore(event: Mapping[str, Any]) -> None:
    """A listener that has no use for events."""


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def has_record(folder: Path, run: RunModel, trial: TrialModel) -> bool:
    """Whether this trial left an intact record of this run; a damaged one is run again."""
    try:
        record = read_record(record_path(folder, trial))
    except RecordError:
        return False
    return record.run_id == run.run_id and record.trial == trial
