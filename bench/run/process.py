"""One worker process: started, listened to, held to its deadlines, ended. Never spins.

The worker is a process group of its own, so that Ctrl-C reaches the parent alone and whatever the
worker started ends with it. Its result comes on a pipe of its own; what it prints goes to a log.
"""

import json
import os
import random
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

import bench
from bench.errors import SamestepError
from bench.files import writing
from bench.run.child_environment import inherited
from bench.run.events import DEADLINES, DeadlineError, Events, GarbageError, parse_result, repeats
from bench.run.outcome import Outcome
from bench.run.scratch import scratch_folder, sweep
from bench.run.signals import uninterrupted

OWN_PACKAGES = ("bench", "backends")
EXIT_GRACE_SECONDS = 5.0
LEAVE_SECONDS = 2.0
# the beginning of a log and its end
KEPT_LOG_BYTES = 2**20
LARGEST_LOG_BYTES = 8 * 2**20

Listener = Callable[[dict[str, Any]], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """How a worker is started: interpreter, folder of our packages, variables, deadlines."""

    interpreter: str
    packages: Path
    variables: Mapping[str, str] = field(default_factory=dict)
    deadlines: Mapping[str, float] = field(default_factory=lambda: DEADLINES)


class StartError(SamestepError):
    """There is no such interpreter, or it can't be started."""


@contextmanager
def worker_packages(*more: Path) -> Iterator[Path]:
    """A folder that holds links to `bench` and `backends` alone, for the worker's `sys.path`.

    The parent's own packages stay out of the worker's sight. `more` are further packages. Raises
    `WriteError`.
    """
    root = Path(bench.__file__).resolve().parent.parent
    sweep()
    with scratch_folder() as folder:
        with writing(folder):
            for package in (*(root / name for name in OWN_PACKAGES), *more):
                (folder / package.name).symlink_to(package)
        yield folder


def run_worker(job: dict[str, Any], launch: Launch, log: Path, listen: Listener) -> Outcome:
    """One worker on `job`, from its start to its end; whenever it asks for its turn it has it."""
    (outcome,) = run_in_turns([Worker(job, launch, log, listen)], random.Random())
    return outcome


def run_in_turns(workers: Sequence["Worker"], order: random.Random) -> list[Outcome]:
    """All of them, one active at a time: each as far as its first turn, then turn by turn.

    In every cycle each has one turn, in an order of its own. So what they time lies within a
    fraction of a second of each other, and whatever slows the machine for longer slows all.
    """
    outcomes: dict[Worker, Outcome] = {}
    with ExitStack() as stack:
        for worker in workers:
            stack.callback(worker.close)
        cycle: Sequence[Worker] = workers
        try:
            while cycle:
                outcomes |= one_cycle(cycle)
                waiting = [worker for worker in workers if worker not in outcomes]
                cycle = order.sample(waiting, k=len(waiting))
        except BaseException:
            # all at once: one after the other would have its moment to leave by itself
            for worker in workers:
                worker.kill()
            raise
    return [outcomes[worker] for worker in workers]


def one_cycle(workers: Sequence["Worker"]) -> dict["Worker", Outcome]:
    """A turn of each of them; the outcomes of those that have ended."""
    ended: dict[Worker, Outcome] = {}
    for worker in workers:
        outcome = worker.advance()
        if outcome is not None:
            # nothing of a finished one beside the others
            worker.close()
            ended[worker] = outcome
    return ended


class Worker:
    """A worker process that goes on when it is let, until it waits for its turn or has ended.

    Every failure of the worker is an outcome, not an exception. `close` ends it, however far it is;
    an exception of our own, such as KeyboardInterrupt, must not leave it behind.
    """

    def __init__(self, job: dict[str, Any], launch: Launch, log: Path, listen: Listener) -> None:
        self._job = job
        self._launch = launch
        self._log = log
        self._listen = listen
        self._open = ExitStack()
        self._process: subprocess.Popen[bytes] | None = None

    def advance(self) -> Outcome | None:
        """Let it start, or take its turn. None where it now waits for the next one."""
        try:
            if self._process is None:
                process = self._start()
            else:
                process = self._process
                self._give_turn()
            return self._follow(process)
        except DeadlineError as error:
            # what hangs does not leave by itself
            self.kill()
            return Outcome(status="timed_out", reason=str(error), result=None)
        except GarbageError as error:
            return Outcome(status="failed", reason=str(error), result=None)
        except StartError as error:
            return Outcome(status="unavailable", reason=str(error), result=None)

    def kill(self) -> None:
        """Have it end now; `close` clears up after it."""
        if self._process is not None:
            kill_group(self._process)

    def close(self) -> None:
        """End the process, if there is one, and its whole group."""
        process, self._process = self._process, None
        try:
            if process is not None:
                end(process)
                cap(self._log)
        finally:
            self._open.close()

    def _start(self) -> "subprocess.Popen[bytes]":
        read_end, write_end = os.pipe()
        turns_read, turns_write = os.pipe()
        for descriptor in (read_end, turns_write):
            self._open.callback(os.close, descriptor)
        try:
            # an interruption between its start and its being known would leave it behind
            with uninterrupted():
                process = start(self._job, self._launch, self._log, write_end, turns_read)
                self._process = process
        except OSError as error:
            raise StartError(
                f"cannot start {self._launch.interpreter}: {error.strerror or error}"
            ) from error
        ended = self._open.enter_context(ended_descriptor(process))
        self._turns = turns_write
        self._events = Events(
            read_end,
            ended,
            self._launch.deadlines,
            repeats=repeats(self._job),
            look=lambda: cap(self._log),
        )
        return process

    def _give_turn(self) -> None:
        # a worker that died while it waited is found out by what it says next: nothing
        with suppress(BrokenPipeError):
            os.write(self._turns, b"\n")

    def _follow(self, process: "subprocess.Popen[bytes]") -> Outcome | None:
        while (event := self._events.following()) is not None:
            if event["event"] == "turn":
                return None
            if event["event"] == "result":
                return outcome_of(process, parse_result(event), self._log)
            self._listen(event)
        return outcome_of(process, None, self._log)


def start(
    job: dict[str, Any], launch: Launch, log: Path, write_end: int, turns: int
) -> "subprocess.Popen[bytes]":
    """The worker, started; `write_end` and `turns` are the worker's alone afterwards."""
    document = {
        **job,
        "result_descriptor": write_end,
        "turn_descriptor": turns,
        "spawned_monotonic": time.monotonic(),
    }
    with (
        closing_descriptor(write_end),
        closing_descriptor(turns),
        open_log(log) as output,
        task_file(document) as request,
    ):
        return subprocess.Popen(
            # -P keeps the working folder off the worker's path
            [launch.interpreter, "-P", "-m", "bench.worker"],
            stdin=request,
            stdout=output,
            stderr=subprocess.STDOUT,
            pass_fds=(write_end, turns),
            env=variables_for(launch),
            cwd=launch.packages,
            start_new_session=True,
        )


@contextmanager
def task_file(document: dict[str, Any]) -> Iterator[IO[bytes]]:
    """The task as a file to be read from its beginning. Raises `WriteError`."""
    with ExitStack() as stack:
        with writing("a worker's task (TMPDIR)"):
            file = stack.enter_context(TemporaryFile())
            file.write(json.dumps(document).encode())
            file.seek(0)
        yield file


@contextmanager
def closing_descriptor(descriptor: int) -> Iterator[None]:
    try:
        yield
    finally:
        os.close(descriptor)


def open_log(log: Path) -> Any:
    with writing(log):
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_bytes(b"")
        # at its end wherever that is: the file may be cut meanwhile
        return log.open("ab")


def cap(log: Path) -> None:
    """Of a log that has become too large its beginning is kept, and what comes from here on."""
    with suppress(OSError):
        size = log.stat().st_size
        if size > LARGEST_LOG_BYTES:
            os.truncate(log, KEPT_LOG_BYTES)
            with log.open("ab") as file:
                file.write(f"\n[samestep left out {size - KEPT_LOG_BYTES} bytes]\n".encode())


def variables_for(launch: Launch) -> dict[str, str]:
    """What a worker may have of the parent's environment, plus the backend's variables."""
    return {**inherited(os.environ), **launch.variables, "PYTHONPATH": str(launch.packages)}


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
        reason = f"{ended_by(-code)}; see {log.name}"
        return Outcome(status="killed", reason=reason, result=None)
    reason = f"exit status {code} without a result; see {log.name}"
    return Outcome(status="failed", reason=reason, result=None)


def ended_by(number: int) -> str:
    """How the reason of a worker that a signal killed begins."""
    return f"ended by {signal_name(number)}"


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
        # also where Ctrl-C ended the wait; and something that the worker started may go on
        kill_group(process)
        # one that waits for a device inside the kernel ends when that answers, if ever
        with suppress(subprocess.TimeoutExpired):
            process.wait(EXIT_GRACE_SECONDS)


def kill_group(process: "subprocess.Popen[bytes]") -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
