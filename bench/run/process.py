"""One worker process: started, listened to, held to its deadlines, ended. Never spins.

The worker is a process group of its own, so that Ctrl-C reaches the parent alone and all that the
worker started ends with it. Its result comes on a pipe of its own; what it prints goes to a log.
"""

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
from typing import IO

import bench
from bench.errors import SamestepError
from bench.files import writing
from bench.run.child_environment import inherit
from bench.run.events import (
    DEADLINES,
    DeadlineError,
    Events,
    GarbageError,
    parse_result,
    phase_sets,
)
from bench.run.log import open_log, truncate_log
from bench.run.outcome import Outcome
from bench.run.scratch import scratch_folder, sweep
from bench.run.signals import uninterrupted
from bench.worker.messages import Process, Progress, Result, Task
from bench.worker.task import write_task

OWN_PACKAGES = ("bench", "backends")
EXIT_GRACE_SECONDS = 5.0
LEAVE_SECONDS = 2.0

Listener = Callable[[Progress], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """How a worker is started.

    `packages` is the folder with the links to our packages, `cache_folder` that of the compiler's
    programs, if it keeps any.
    """

    interpreter: str
    packages: Path
    cache_folder: str | None = None
    variables: Mapping[str, str] = field(default_factory=dict)
    deadlines: Mapping[str, float] = field(default_factory=lambda: DEADLINES)


class StartError(SamestepError):
    """The interpreter does not exist, or can't be started."""


@contextmanager
def worker_packages(*more: Path) -> Iterator[Path]:
    """Make a folder with links to `bench` and `backends` alone, for the worker's `sys.path`.

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


def run_in_turns(workers: Sequence["Worker"], order: random.Random) -> list[Outcome]:
    """Run workers with one active at a time: each up to its first turn, then turn by turn.

    In every cycle each worker has one turn, and each cycle draws its own order. So what they time
    lies within a fraction of a second of each other, and what slows the machine for longer slows
    all of them.
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
    """Give each worker one turn and return the outcomes of the workers that ended in it."""
    ended: dict[Worker, Outcome] = {}
    for worker in workers:
        outcome = worker.advance()
        if outcome is not None:
            # free its process and pipes before the others are timed
            worker.close()
            ended[worker] = outcome
    return ended


class Worker:
    """A worker process that runs until it waits for its turn or has ended.

    Every failure of the worker is an outcome, not an exception. `close` ends it in any state, so
    that an exception of the parent, such as KeyboardInterrupt, does not leave it behind.
    """

    def __init__(self, task: Task, launch: Launch, log: Path, listen: Listener) -> None:
        self._task = task
        self._launch = launch
        self._log = log
        self._listen = listen
        self._open = ExitStack()
        self._process: subprocess.Popen[bytes] | None = None

    def advance(self) -> Outcome | None:
        """Start the worker or give it its turn; None if it now waits for the next turn."""
        try:
            if self._process is None:
                process = self._start()
            else:
                process = self._process
                self._give_turn()
            return self._follow(process)
        except DeadlineError as error:
            # a worker that hangs does not leave by itself
            self.kill()
            return Outcome(status="timed_out", reason=str(error), result=None)
        except GarbageError as error:
            return Outcome(status="failed", reason=str(error), result=None)
        except StartError as error:
            return Outcome(status="unavailable", reason=str(error), result=None)

    def kill(self) -> None:
        """Kill the worker now; `close` clears up after it."""
        if self._process is not None:
            kill_group(self._process)

    def close(self) -> None:
        """End the process, if it was started, and its whole group."""
        process, self._process = self._process, None
        try:
            if process is not None:
                end(process)
                truncate_log(self._log)
        finally:
            self._open.close()

    def _start(self) -> "subprocess.Popen[bytes]":
        read_end, write_end = os.pipe()
        turns_read, turns_write = os.pipe()
        for descriptor in (read_end, turns_write):
            self._open.callback(os.close, descriptor)
        try:
            # an interruption between the start and this assignment would leave the process behind
            with uninterrupted():
                process = start(self._task, self._launch, self._log, write_end, turns_read)
                self._process = process
        except OSError as error:
            raise StartError(
                f"cannot start {self._launch.interpreter}: {error.strerror or error}"
            ) from error
        ended = self._open.enter_context(end_descriptor(process))
        self._turns = turns_write
        self._events = Events(
            read_end,
            ended,
            self._launch.deadlines,
            phase_sets=phase_sets(self._task),
            look=lambda: truncate_log(self._log),
        )
        return process

    def _give_turn(self) -> None:
        # a worker that died while it waited shows when its events end
        with suppress(BrokenPipeError):
            os.write(self._turns, b"\n")

    def _follow(self, process: "subprocess.Popen[bytes]") -> Outcome | None:
        while (event := self._events.next_event()) is not None:
            if event["event"] == "turn":
                return None
            if event["event"] == "result":
                return outcome_of(process, parse_result(event), self._log)
            self._listen(event)
        return outcome_of(process, None, self._log)


def start(
    task: Task, launch: Launch, log: Path, write_end: int, turns: int
) -> "subprocess.Popen[bytes]":
    """Start a worker and return its process; it takes over `write_end` and `turns`."""
    facts = Process(
        result_descriptor=write_end,
        turn_descriptor=turns,
        spawned_monotonic=time.monotonic(),
        cache_folder=launch.cache_folder,
    )
    with (
        close_at_exit(write_end),
        close_at_exit(turns),
        open_log(log) as output,
        task_file(task, facts) as request,
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
def task_file(task: Task, facts: Process) -> Iterator[IO[bytes]]:
    """Write the task to a file that the worker reads as its input. Raises `WriteError`."""
    with ExitStack() as stack:
        with writing("a worker's task (TMPDIR)"):
            file = stack.enter_context(TemporaryFile())
            write_task(task, facts, file)
            file.seek(0)
        yield file


@contextmanager
def close_at_exit(descriptor: int) -> Iterator[None]:
    try:
        yield
    finally:
        os.close(descriptor)


def variables_for(launch: Launch) -> dict[str, str]:
    """Return what a worker gets of the parent's environment, plus the backend's variables."""
    return {**inherit(os.environ), **launch.variables, "PYTHONPATH": str(launch.packages)}


@contextmanager
def end_descriptor(process: "subprocess.Popen[bytes]") -> Iterator[int | None]:
    """Yield a descriptor that becomes readable when the process ends; None without pidfd.

    The end of the pipe is no proof: a process that the worker started may keep it open.
    """
    try:
        descriptor = os.pidfd_open(process.pid)
    # not on this system, or not allowed in this sandbox
    except (AttributeError, OSError):
        yield None
        return
    with close_at_exit(descriptor):
        yield descriptor


def outcome_of(process: "subprocess.Popen[bytes]", result: Result | None, log: Path) -> Outcome:
    """Return what the result says, or how the process ended without one."""
    if result is not None:
        return Outcome(status=result["status"], reason=result.get("reason"), result=result)
    try:
        code = process.wait(EXIT_GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        return Outcome(status="failed", reason="closed its pipe and went on", result=None)
    if code < 0:
        reason = f"{signal_reason(-code)}; see {log.name}"
        return Outcome(status="killed", reason=reason, result=None)
    reason = f"exit status {code} without a result; see {log.name}"
    return Outcome(status="failed", reason=reason, result=None)


def signal_reason(number: int) -> str:
    """Return how the reason of a worker begins that this signal killed."""
    return f"ended by {signal_name(number)}"


def signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def end(process: "subprocess.Popen[bytes]") -> None:
    """Give the worker a moment to leave by itself, then end its whole group."""
    try:
        with suppress(subprocess.TimeoutExpired):
            process.wait(LEAVE_SECONDS)
    finally:
        # also if Ctrl-C ended the wait; and a process that the worker started may go on
        kill_group(process)
        # a process that waits for a device inside the kernel ends when that answers, if ever
        with suppress(subprocess.TimeoutExpired):
            process.wait(EXIT_GRACE_SECONDS)


def kill_group(process: "subprocess.Popen[bytes]") -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
