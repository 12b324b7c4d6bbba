"""A run: a pilot of each backend, the plan, then each trial in a fresh process, one at a time."""

import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, Protocol

from pydantic import ValidationError

from backends import BACKENDS, Place
from bench import __version__, mnist, plan
from bench.collect import record_of
from bench.environment import ContentionMeter, environment
from bench.errors import RecordError, SamestepError
from bench.parity.rungs import digests
from bench.record import Record, TrialModel, first_problem, read_record, write_record
from bench.run_file import (
    BackendModel,
    PilotModel,
    RunModel,
    SessionModel,
    record_path,
    write_run,
)
from bench.spawn import DEADLINES, Launch, Outcome, run_worker
from bench.spec import Cell, Execution, Trial, Workload
from bench.workloads import WORKLOADS


class Display(Protocol):
    """Who is told how a run goes. Called between trials, and when an epoch ends; never timed."""

    def piloting(self, backend: str, device: str) -> None: ...

    def planned(self, run: RunModel, missing: Sequence[Trial]) -> None: ...

    def started(self, trial: Trial) -> None: ...

    def epoch(self, trial: Trial, figures: Mapping[str, Any]) -> None: ...

    def ended(self, record: Record) -> None: ...


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

    def cells(self, backend: str, device: str) -> list[Cell]:
        return [
            Cell(
                workload=workload.name,
                backend=backend,
                execution=Execution(device=device, batch_size=workload.batch_size),
            )
            for workload in self.workloads
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Miss:
    """A cell that can't be planned, with the status and the reason that its record gets."""

    status: str
    reason: str


@dataclass(slots=True, kw_only=True)
class Pilot:
    """What the pilots found: figures of the cells that run, and why the others don't."""

    backends: dict[str, BackendModel] = field(default_factory=dict)
    figures: dict[Cell, plan.PilotFigures] = field(default_factory=dict)
    misses: dict[Cell, Miss] = field(default_factory=dict)


class Runner:
    """Runs a request in `folder`. The request's packages are linked at `packages`."""

    def __init__(self, request: Request, folder: Path, packages: Path, display: Display) -> None:
        self._request = request
        self._folder = folder
        self._packages = packages
        self._display = display
        self._data = mnist.load()

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
            environment=environment({}, {}),
            backends=pilot.backends,
            pilot=[
                PilotModel(cell=cell.label, **asdict(found))
                for cell, found in pilot.figures.items()
            ],
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

    def _work(self, backend: str, task: dict[str, Any], name: str, listen: Any) -> Outcome:
        place = self._request.places[backend]
        launch = Launch(
            interpreter=self._request.interpreters[backend],
            packages=self._packages,
            variables=self._variables(backend),
            deadlines=self._request.deadlines,
        )
        job = {"backend": backend, "adapter": place.adapter, **task}
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
        missing = self.missing(run)
        self._display.planned(run, missing)
        try:
            for trial in missing:
                self._display.started(trial)
                self._write(run, self._run_certified(run, trial))
            outcome = "complete"
        finally:
            session = SessionModel(
                started=started_at, wall_seconds=time.monotonic() - started, outcome=outcome
            )
            run = run.model_copy(update={"sessions": [*run.sessions, session]})
            write_run(run, self._folder)
        return run

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


def ignore(event: Mapping[str, Any]) -> None:
    """A listener that has no use for events."""


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def note(
    pilot: Pilot, backend: str, cells: Sequence[Cell], outcome: Outcome, wall_seconds: float
) -> None:
    """Enter what one pilot found: its backend, and each of its cells as figures or a miss."""
    result = outcome.result or {}
    # a process takes its time to end too, and every trial pays it
    ending = max(0.0, wall_seconds - result.get("timings", {}).get("total_seconds", wall_seconds))
    known = pilot.backends.get(backend)
    if known is None or known.unavailable is not None:
        pilot.backends[backend] = backend_found(outcome)
    found = {entry["cell"]: entry for entry in result.get("cells", ())}
    for cell in cells:
        entry = found.get(cell.label)
        if entry is not None and entry["status"] == "ok":
            pilot.figures[cell] = figures_from(entry, ending)
        else:
            entry = entry or {"status": outcome.status, "reason": outcome.reason}
            pilot.misses[cell] = Miss(status=entry["status"], reason=f"{entry['reason']} (pilot)")


def backend_found(outcome: Outcome) -> BackendModel:
    """What a pilot said of its backend; unavailable where it said nothing that can be kept."""
    result = outcome.result or {}
    try:
        return BackendModel(
            versions=result.get("versions", {}),
            devices=result.get("devices", []),
            unavailable=outcome.reason,
        )
    except ValidationError as error:
        reason = f"its versions or devices can't be read: {first_problem(error)}"
        return BackendModel(versions={}, devices=[], unavailable=reason)


def figures_from(entry: Mapping[str, Any], ending_seconds: float) -> plan.PilotFigures:
    return plan.PilotFigures(
        setup_seconds=entry["setup_seconds"] + ending_seconds,
        step_seconds=entry["step_seconds"],
        steps_per_block=entry["steps_per_block"],
        native_step_seconds=entry["native_step_seconds"],
    )


def missed_trial(cell: Cell) -> Trial:
    return Trial(kind="timing", cell=cell, seed=0, round=0)


def has_record(folder: Path, run: RunModel, trial: TrialModel) -> bool:
    """Whether this trial left an intact record of this run; a damaged one is run again."""
    try:
        record = read_record(record_path(folder, trial))
    except RecordError:
        return False
    return record.run_id == run.run_id and record.trial == trial
