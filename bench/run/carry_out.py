"""Carry out a run, or certify parity: calls for Python users, which neither print nor exit."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from bench.machine import look
from bench.machine.doctor import LOOK_SECONDS, SMOKE_LOOK_SECONDS, judge
from bench.machine.run_lock import hold_machine
from bench.record import Record
from bench.record.folder import RunFolder
from bench.record.preflight import PreflightModel
from bench.record.run import RunModel
from bench.run.planner import Planner
from bench.run.process import worker_packages
from bench.run.progress import Display
from bench.run.request import Request
from bench.run.runner import Runner
from bench.spec import MODES


def carry_out(
    request: Request,
    folder: Path,
    *,
    resume: bool = False,
    rounds: int | None = None,
    display: Display | None = None,
) -> RunModel | None:
    """Look at the machine, plan or resume a run, run what is missing, and return the run.

    The run and its records are in `folder` afterwards, which must be new or empty; with `resume`
    it holds a run, whose plan counts instead of the request's; `rounds` are then how many rounds
    it gets in all. The call holds the locks of the machine and of the run's GPUs. It does not write
    a report. For example:

        request = Request(
            workloads=[MLP_512], backends=["pytorch"], devices=["cpu"], profile=PROFILES["smoke"],
            interpreters={"pytorch": "/path/to/python"}, places=all_backends(),
        )
        run = carry_out(request, Path("runs/mine"))

    Ctrl-C ends the run early: the last of the run's `sessions` is then no `complete` one, and the
    result is None if there was no plan yet. Raises `SamestepError`: `LockedError` if another run
    has the machine, `UsageError` if the folder is in use, `RecordError` if it holds no run to
    resume, `WriteError` if a file can't be written.
    """
    display = display or Display()
    place = RunFolder(folder)
    devices = devices_of(place.read()) if resume else request.devices
    with hold_machine(devices, "run", folder):
        # read again: another process may have finished it before the machine was free
        started = place.read() if resume else None
        if started is None:
            place.require_new()
        try:
            preflight = look_first(request, folder, started, display)
        except KeyboardInterrupt:
            return started
        request = replace(request, preflight=preflight)
        return run_trials(request, folder, started, display, rounds or 0)


def certify(request: Request, folder: Path, display: Display | None = None) -> RunModel | None:
    """Run the parity trials of each cell in a new folder and return the run.

    None if Ctrl-C came. Holds locks, and raises, as `carry_out` does: it would disturb a run that
    is timed.
    """
    display = display or Display()
    with hold_machine(request.devices, "parity", folder):
        RunFolder(folder).require_new()
        try:
            with worker_packages(*request.packages) as packages:
                run = Planner(request, folder, packages, display).parity_run()
                return Runner(request, folder, packages, display).execute(run)
        except KeyboardInterrupt:
            return None


def devices_of(run: RunModel) -> tuple[str, ...]:
    """Return the devices of the run's plan, each once."""
    return tuple(dict.fromkeys(trial.execution.device for trial in run.trials))


def look_first(
    request: Request, folder: Path, started: RunModel | None, display: Display
) -> PreflightModel:
    """Look at the machine before the run that is asked for, or that was started."""
    devices, profile, backends = request.devices, request.profile.name, len(request.backends)
    if started is not None:
        devices, profile = devices_of(started), started.profile
        backends = len(started.backends)
    return preflight(folder, devices, profile, backends, display)


def preflight(
    folder: Path, devices: Sequence[str], profile: str, backends: int, display: Display
) -> PreflightModel:
    """Look at the machine and return what speaks against a run now; no verdict stops the run."""
    seconds = SMOKE_LOOK_SECONDS if profile == "smoke" else LOOK_SECONDS
    display.looking(seconds)
    judged = judge(look.look(seconds, folder, devices, backends))
    display.preflight(judged)
    return judged


def run_trials(
    request: Request, folder: Path, started: RunModel | None, display: Display, rounds: int = 0
) -> RunModel | None:
    """Plan a run, or resume one that was `started` with so many rounds, and run what is missing.

    Returns the run as far as it came; None if it was interrupted before there was a plan. The
    caller holds the locks.
    """
    try:
        with worker_packages(*request.packages) as packages:
            runner = Runner(request, folder, packages, display)
            run = started
            if run is None:
                run = Planner(request, folder, packages, display).new_run()
            else:
                runner.resume(run)
                run = runner.extend(run, rounds)
            return runner.execute(run)
    except KeyboardInterrupt:
        return RunFolder(folder).read_planned()


def count_statuses(records: Iterable[Record]) -> dict[str, int]:
    """Return the number of records per status."""
    statuses = [record.status for record in records]
    return {status: statuses.count(status) for status in sorted(set(statuses))}


def excuses(run: RunModel, *, named: bool) -> set[str]:
    """Return the statuses that are no failure: of backends and modes that no option names."""
    excused = set() if named else {"unavailable"}
    if {trial.execution.mode for trial in run.trials} == set(MODES):
        excused.add("unsupported")
    return excused


def exit_code(records: Sequence[Record], planned: int, excused: set[str]) -> int:
    """Return 0 if all `planned` trials have a record that is ok or `excused`, else 1.

    A certificate alone is no measurement, and a run without a measurement is no success.
    """
    measured = any(record.status == "ok" and record.trial.kind != "parity" for record in records)
    complete = len(records) == planned
    good = all(record.status in {"ok", *excused} for record in records)
    return 0 if measured and complete and good else 1
