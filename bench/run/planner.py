"""Plan a new run: a pilot of each backend, then the plan that follows from it."""

import secrets
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench import __version__
from bench.machine.environment import environment
from bench.machine.gpu_support import OK, Support, support
from bench.machine.nvml import visible_gpus
from bench.record import TrialModel, write_record
from bench.record.run import BackendModel, RunModel, now, write_run
from bench.record.stored import record_path
from bench.run import estimate, plan, schedule
from bench.run.outcome import Beside, Outcome, record_of
from bench.run.pilot import (
    Miss,
    Pilot,
    add_doubt,
    add_hopeless,
    add_outcome,
    build_of,
    missed_trial,
)
from bench.run.progress import Display
from bench.run.request import Request
from bench.run.workers import Workers
from bench.spec import Cell, Trial


class Planner:
    """Plans a request's run into `folder`. The request's packages are linked at `packages`."""

    def __init__(self, request: Request, folder: Path, packages: Path, display: Display) -> None:
        self._request = request
        self._folder = folder
        self._display = display
        self._workers = Workers(request, folder, packages)
        self._gpus = {gpu.device: gpu for gpu in visible_gpus()}

    def new_run(self) -> RunModel:
        """Pilot every backend and write the plan into the folder."""
        started = time.monotonic()
        pilot = self._pilot()
        order_seed = secrets.randbelow(2**32)
        profile = self._request.profile
        trials = plan.expand(pilot.figures, profile, order_seed)
        run = self._write_run(
            pilot,
            trials,
            steady_rounds=profile.steady_rounds,
            order_seed=order_seed,
            pilot_seconds=time.monotonic() - started,
            estimate_seconds=estimate.estimate_seconds(trials, pilot.figures),
        )
        self._write_misses(run, pilot)
        return run

    def parity_run(self) -> RunModel:
        """Look at every backend and write a plan of the parity trials of each cell alone."""
        started = time.monotonic()
        pilot = self._pilot(measured=False)
        cells = [
            cell
            for backend in self._request.backends
            for device in self._request.devices
            for cell in self._request.cells(backend, device)
            if cell not in pilot.misses
        ]
        trials = plan.parity_trials(cells, self._request.profile)
        run = self._write_run(
            pilot,
            trials,
            order_seed=0,
            pilot_seconds=time.monotonic() - started,
            estimate_seconds=None,
        )
        self._write_misses(run, pilot)
        return run

    def _write_run(self, pilot: Pilot, trials: Sequence[Trial], **figures: Any) -> RunModel:
        """Write the run of these trials into the folder and return it."""
        run = RunModel(
            schema_version=1,
            run_id=f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(3)}",
            samestep=__version__,
            created=now(),
            profile=self._request.profile.name,
            most_repeats=schedule.most_repeats(trials) if self._request.profile.repeats else 0,
            most_rounds=self._request.profile.most_rounds,
            environment=environment({}, {}),
            backends={
                name: self._with_origin(name, entry) for name, entry in pilot.backends.items()
            },
            pilot=list(pilot.figures.values()),
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

    def _with_origin(self, name: str, entry: BackendModel) -> BackendModel:
        """Return the entry of a further environment with the backend that it is one of."""
        origin = self._request.versus.get(name)
        # a field that is not set is not written
        return entry if origin is None else entry.model_copy(update={"environment_of": origin})

    def _pilot(self, *, measured: bool = True) -> Pilot:
        """Look at every backend, and if `measured`, at its cells on each device."""
        pilot = Pilot()
        for backend in self._request.backends:
            for device in self._request.devices:
                cells = self._request.cells(backend, device)
                expected = self._support(pilot, backend, device)
                if expected.hopeless:
                    add_hopeless(pilot, cells, expected)
                elif measured or backend not in pilot.backends:
                    self._look(pilot, backend, device, cells if measured else ())
                    add_doubt(pilot, cells, expected)
        return pilot

    def _look(self, pilot: Pilot, backend: str, device: str, cells: Sequence[Cell]) -> None:
        self._display.piloting(backend, device)
        started = time.monotonic()
        outcome = self._workers.look(backend, cells)
        if outcome.status == "killed" and len(cells) > 1:
            # one of the cells crashed the worker, and its exit does not say which
            for cell in cells:
                self._look(pilot, backend, device, [cell])
            return
        add_outcome(pilot, backend, cells, outcome, time.monotonic() - started)

    def _support(self, pilot: Pilot, backend: str, device: str) -> Support:
        """Return whether build and driver fit each other, before a GPU is tried."""
        gpu = self._gpus.get(device)
        if gpu is None:
            return OK
        if backend not in pilot.backends:
            self._look(pilot, backend, "versions", ())
        found = pilot.backends[backend]
        return OK if found.unavailable is not None else support(build_of(found), gpu)

    def _write_misses(self, run: RunModel, pilot: Pilot) -> None:
        for cell, miss in pilot.misses.items():
            self._write_miss(run, cell, miss)

    def _write_miss(self, run: RunModel, cell: Cell, miss: Miss) -> None:
        """Write the record of a cell that can't be planned, so that it stands in the report."""
        trial = missed_trial(cell)
        outcome = Outcome(status=miss.status, reason=miss.reason, result=None)
        machine = self._workers.environment(cell.backend, run.backends[cell.backend].versions)
        record = record_of(run.run_id, trial, outcome, machine, Beside())
        write_record(record, record_path(self._folder, record.trial))
        self._display.ended(record)
