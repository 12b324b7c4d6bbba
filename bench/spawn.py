"""One worker process: started, listened to, held to its deadlines, ended. Never spins.

The worker is a process group of its own, so that Ctrl-C reaches the parent alone and whatever the
worker started ends with it. Its result comes on a pipe of its own; what it prints goes to a log.
"""

import json
import os
import select
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from typing import Any

from bench.errors import SamestepError, WriteError

OWN_PACKAGES = ("bench", "backends")
LARGEST_RESULT_BYTES = 16 * 2**20
EXIT_GRACE_SECONDS = 5.0
LEAVE_SECONDS = 2.0

# seconds from one event to the next; `accuracy` counts from epoch to epoch
DEADLINES: Mapping[str, float] = {
    "spawn": 60,
    "environment": 60,
    "import": 300,
    "device": 120,
    "build": 120,
    "load": 120,
    "first_step": 600,
    "parity": 300,
    "warmup": 300,
    "step": 300,
    "latency": 300,
    "native": 600,
    "tutorial": 600,
    "accuracy": 1800,
}

Listener = Callable[[dict[str, Any]], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """How a worker is started: interpreter, folder of our packages, variables, deadlines."""

    interpreter: str
    packages: Path
    variables: Mapping[str, str] = field(default_factory=dict)
    deadlines: Mapping[str, float] = field(default_factory=lambda: DEADLINES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a worker ended. `result` is what it sent last; None where nothing usable came."""

    status: str
    reason: str | None
    result: dict[str, Any] | None


class DeadlineError(SamestepError):
    """A phase took longer than it may."""


class GarbageError(SamestepError):
    """The worker sent something that is not its protocol."""


@contextmanager
def worker_packages(*more: Path) -> Iterator[Path]:
    """A folder that holds links to `bench` and `backends` alone, for the worker's `sys.path`.

    The parent's own packages stay out of the worker's sight. `more` are further packages.
    """
    root = Path(__file__).resolve().parent.parent
    with TemporaryDirectory(prefix="samestep-") as folder:
        for package in (*(root / name for name in OWN_PACKAGES), *more):
            (Path(folder) / package.name).symlink_to(package)
        yield Path(folder)


def run_worker(job: dict[str, Any], launch: Launch, log: Path, listen: Listener) -> Outcome:
    """Start a worker on `job`, pass its events to `listen`, and say how it ended.

    Every failure of the worker is an outcome, not an exception. On an exception of our own, such
    as KeyboardInterrupt, the worker is ended before it goes on.
    """
    read_end, write_end = os.pipe()
    with closing_descriptor(read_end):
        try:
            process = start(job, launch, log, write_end)
        except OSError as error:
            reason = f"cannot start {launch.interpreter}: {error.strerror or error}"
            return Outcome(status="unavailable", reason=reason, result=None)
        try:
            return follow(process, read_end, launch.deadlines, listen, log)
        finally:
            end(process)


def start(
    job: dict[str, Any], launch: Launch, log: Path, write_end: int
) -> "subprocess.Popen[bytes]":
    """The worker, started; `write_end` is the worker's alone afterwards."""
    with closing_descriptor(write_end), open_log(log) as output, TemporaryFile() as request:
        document = {
            **job,
            "result_descriptor": write_end,
            "spawned_monotonic": time.monotonic(),
        }
        request.write(json.dumps(document).encode())
        request.seek(0)
        return subprocess.Popen(
            # -P keeps the working folder off the worker's path
            [launch.interpreter, "-P", "-m", "bench.worker"],
            stdin=request,
            stdout=output,
            stderr=subprocess.STDOUT,
            pass_fds=(write_end,),
            env=variables_for(launch),
            cwd=launch.packages,
            start_new_session=True,
        )


@contextmanager
def closing_descriptor(descriptor: int) -> Iterator[None]:
    try:
        yield
    finally:
        os.close(descriptor)


def open_log(log: Path) -> Any:
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        return log.open("wb")
    except OSError as error:
        raise WriteError(f"cannot write {log}: {error.strerror or error}") from error


def variables_for(launch: Launch) -> dict[str, str]:
    """The parent's environment, less what would lead to the parent's Python, plus the backend's."""
    hidden = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")
    inherited = {name: value for name, value in os.environ.items() if name not in hidden}
    return {**inherited, **launch.variables, "PYTHONPATH": str(launch.packages)}


def follow(
    process: "subprocess.Popen[bytes]",
    descriptor: int,
    deadlines: Mapping[str, float],
    listen: Listener,
    log: Path,
) -> Outcome:
    """Listen until the worker is done or over its deadline, and say how that went."""
    try:
        with ended_descriptor(process) as ended:
            result = listen_to(descriptor, deadlines, listen, ended)
        return outcome_of(process, result, log)
    except DeadlineError as error:
        return Outcome(status="timed_out", reason=str(error), result=None)
    except GarbageError as error:
        return Outcome(status="failed", reason=str(error), result=None)


@contextmanager
def ended_descriptor(process: "subprocess.Popen[bytes]") -> Iterator[int | None]:
    """A descriptor that becomes readable when the process ends; None where there is no such thing.

    The pipe's end alone does not tell: something that the worker started may keep it open.
    """
    try:
        descriptor = os.pidfd_open(process.pid)
    # not on this system, or not allowed in this sandbox
    except (AttributeError, OSError):
        yield None
        return
    with closing_descriptor(descriptor):
        yield descriptor


def listen_to(
    descriptor: int,
    deadlines: Mapping[str, float],
    listen: Listener,
    ended: int | None = None,
) -> dict[str, Any] | None:
    """The worker's result, or None where it ended, or its pipe did, without one.

    Raises `DeadlineError` when no event came within the phase's seconds, `GarbageError` for what
    is not one JSON object a line.
    """
    phase, buffer = "spawn", b""
    watched = [descriptor] if ended is None else [descriptor, ended]
    limit = deadlines[phase]
    due = time.monotonic() + limit
    while True:
        ready, _, _ = select.select(watched, [], [], max(0.0, due - time.monotonic()))
        if not ready:
            raise DeadlineError(f"no sign of life in phase {phase!r}. Expected: within {limit:g} s")
        chunk = os.read(descriptor, 1 << 16) if descriptor in ready else b""
        if not chunk:
            return None
        *lines, buffer = (buffer + chunk).split(b"\n")
        if len(buffer) > LARGEST_RESULT_BYTES:
            raise GarbageError("the worker sent more than a result can hold")
        for line in lines:
            event = parse_event(line)
            if event["event"] == "result":
                return parse_result(event)
            phase = str(event.get("phase", phase))
            limit = deadlines.get(phase, DEADLINES["spawn"])
            due = time.monotonic() + limit
            listen(event)


def parse_event(line: bytes) -> dict[str, Any]:
    try:
        event = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise GarbageError(f"the worker's result is not JSON. Received: {line[:60]!r}") from error
    if not isinstance(event, dict) or "event" not in event:
        raise GarbageError(f"the worker's result is not an event. Received: {line[:60]!r}")
    return event


def parse_result(event: dict[str, Any]) -> dict[str, Any]:
    result = event.get("result")
    if not isinstance(result, dict) or not isinstance(result.get("status"), str):
        raise GarbageError(f"the worker's result has no status. Received: {str(result)[:60]!r}")
    return result


def outcome_of(
    process: "subprocess.Popen[bytes]", result: dict[str, Any] | None, log: Path
) -> Outcome:
    """What the result says, or the way the process ended without one."""
    if result is not None:
        return Outcome(status=result["status"], reason=result.get("reason"), result=result)
    try:
        code = process.wait(EXIT_GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        return Outcome(status="failed", reason="closed its pipe and went on", result=None)
    if code < 0:
        reason = f"ended by {signal_name(-code)}; see {log.name}"
        return Outcome(status="killed", reason=reason, result=None)
    reason = f"exit status {code} without a result; see {log.name}"
    return Outcome(status="failed", reason=reason, result=None)


def signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def end(process: "subprocess.Popen[bytes]") -> None:
    """Let the worker leave by itself for a moment where it can, then end its whole group."""
    try:
        with suppress(subprocess.TimeoutExpired):
            process.wait(LEAVE_SECONDS)
    finally:
        # also where a second Ctrl-C ended the wait; and something that the worker started may go on
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
