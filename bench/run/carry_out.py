"""Carry out a run: a function for Python users, which neither prints nor exits."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from bench.machine import look
from bench.machine.doctor import LOOK_SECONDS, SMOKE_LOOK_SECONDS, judge
from bench.record import Record
from bench.record.preflight import PreflightModel
from bench.record.run import RUN_FILE, RunModel, read_run
from bench.run.display import TerminalDisplay
from bench.run.planner import Planner
from bench.run.process import worker_packages
from bench.run.request import Request
from bench.run.runner import Runner
from bench.spec import MODES


def devices_of(run: RunModel) -> tuple[str, ...]:
    return tuple(dict.fromkeys(trial.execution.device for trial in run.trials))


def look_and_carry_out(
    request: Request, folder: Path, started: RunModel | None, display: TerminalDisplay
) -> RunModel | None:
    """`carry_out` after a look at the machine, which the session keeps."""
    devices, profile, backends = request.devices, request.profile.name, len(request.backends)
    if started is not None:
        devices, profile = devices_of(started), started.profile
        backends = len(started.backends)
    try:
        found = preflight(folder, devices, profile, backends, display)
    except KeyboardInterrupt:
        return started
    return carry_out(replace(request, preflight=found), folder, started, display)


def preflight(
    folder: Path, devices: Sequence[str], profile: str, backends: int, display: TerminalDisplay
) -> PreflightModel:
    """What speaks against a run now is said and kept; the run goes on, as it was asked for."""
    seconds = SMOKE_LOOK_SECONDS if profile == "smoke" else LOOK_SECONDS
    display.looking(seconds)
    found = judge(look.look(seconds, folder, devices, backends))
    display.preflight(found)
    return found


def carry_out(
    request: Request, folder: Path, started: RunModel | None, display: TerminalDisplay
) -> RunModel | None:
    """The run as far as it came; None where it was interrupted before there was a plan."""
    run = started
    try:
        with worker_packages(*request.packages) as packages:
            runner = Runner(request, folder, packages, display)
            if run is None:
                run = Planner(request, folder, packages, display).new_run()
            else:
                runner.resume(run)
            return runner.execute(run)
    except KeyboardInterrupt:
        return read_run(folder) if (folder / RUN_FILE).exists() else None


def count_statuses(records: Iterable[Record]) -> dict[str, int]:
    statuses = [record.status for record in records]
    return {status: statuses.count(status) for status in sorted(set(statuses))}


def excuses(run: RunModel, *, named: bool) -> set[str]:
    """Statuses that are no failure, of what was not asked for by name."""
    excused = set() if named else {"unavailable"}
    if {trial.execution.mode for trial in run.trials} == set(MODES):
        excused.add("unsupported")
    return excused


def exit_code(records: Sequence[Record], planned: int, excused: set[str]) -> int:
    """0 where all that was asked for ran; these statuses count as that.

    A certificate alone is no measurement, and nothing measured no success.
    """
    measured = any(record.status == "ok" and record.trial.kind != "parity" for record in records)
    complete = len(records) == planned
    good = all(record.status in {"ok", *excused} for record in records)
    return 0 if measured and complete and good else 1
