"""Start the workers of a request, each in its environment, and count their time."""

import os
import random
import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from bench.errors import OUT_OF_MEMORY_PREFIX
from bench.files import writing
from bench.machine.cgroups import memory_kills
from bench.machine.devices import BY_BUS, ORDER
from bench.machine.environment import environment
from bench.record import EnvironmentModel
from bench.record.run import now
from bench.run.log import log_path
from bench.run.outcome import Outcome
from bench.run.process import Launch, Listener, Worker, run_in_turns, signal_reason
from bench.run.request import Request
from bench.run.scratch import scratch_folder
from bench.spec import Cell, Setup
from bench.worker.messages import PilotTask, Progress, Task

CACHES = "caches"


@dataclass(slots=True)
class Spent:
    """Time spent by a session: its start and its wall, worker and CPU seconds.

    `worker_seconds` are the wall seconds in which a worker ran, `parent_cpu_seconds` the parent's
    own CPU time meanwhile.
    """

    began: str = field(default_factory=now)
    began_monotonic: float = field(default_factory=time.monotonic)
    worker_seconds: float = 0.0
    parent_cpu_seconds: float = 0.0

    @property
    def wall_seconds(self) -> float:
        """Return the seconds since the session began."""
        return time.monotonic() - self.began_monotonic

    @contextmanager
    def count(self) -> Iterator[None]:
        """Count the time of a block in which workers run."""
        started, cpu = time.monotonic(), time.process_time()
        try:
            yield
        finally:
            self.worker_seconds += time.monotonic() - started
            self.parent_cpu_seconds += time.process_time() - cpu


def ignore(event: Progress) -> None:
    """Ignore an event."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """What a worker is to do: its task, the name of its log, its listener.

    `cache` is where its compiler keeps its programs: nowhere (`none`), in an empty folder that is
    removed with the worker (`cold`), or in the folder of this backend and run (`kept`).
    """

    task: Task
    name: str
    listen: Listener = ignore
    setup: Setup | None = None
    cache: Literal["none", "cold", "kept"] = "none"


class Workers:
    """Starts workers of a request; logs and the frameworks' own files go into `folder`."""

    def __init__(self, request: Request, folder: Path, packages: Path) -> None:
        self.spent = Spent()
        self._request = request
        self._folder = folder
        self._packages = packages

    def look(self, backend: str, cells: Sequence[Cell]) -> Outcome:
        """Run a pilot of these cells; without cells it reports versions and devices alone."""
        assignment = Assignment(
            task=PilotTask(
                backend=backend,
                adapter=self._request.place(backend).adapter,
                cells=list(cells),
            ),
            name=pilot_name(backend, cells),
            cache="kept" if any(cell.execution.mode != "default" for cell in cells) else "none",
        )
        (outcome,) = self.work([assignment], random.Random())
        return outcome

    def work(self, assignments: Sequence[Assignment], order: random.Random) -> list[Outcome]:
        """Run these assignments to their end, taking turns in what they time."""
        with ExitStack() as caches, scratch_folder() as temporary, self.spent.count():
            workers = [
                self._worker(each, self._cache_folder(each, caches), temporary)
                for each in assignments
            ]
            kills = memory_kills()
            outcomes = run_in_turns(workers, order)
            return [mark_out_of_memory(outcome, kills, memory_kills()) for outcome in outcomes]

    def _cache_folder(self, assignment: Assignment, caches: ExitStack) -> str | None:
        """Return the folder of the compile cache; `caches` removes a cold one."""
        backend = assignment.task["backend"]
        if self._request.place(backend).cache_variable is None or assignment.cache == "none":
            return None
        if assignment.cache == "cold":
            return str(caches.enter_context(scratch_folder()))
        kept = (self._folder / CACHES / backend).resolve()
        with writing(kept):
            kept.mkdir(parents=True, exist_ok=True)
        return str(kept)

    def _worker(self, assignment: Assignment, cache_folder: str | None, temporary: Path) -> Worker:
        """Return the worker of an assignment; `temporary` is its folder for temporary files."""
        backend = assignment.task["backend"]
        cache_variable = self._request.place(backend).cache_variable
        cached = {cache_variable: cache_folder} if cache_variable and cache_folder else {}
        launch = Launch(
            interpreter=self._request.interpreters[backend],
            packages=self._packages,
            cache_folder=cache_folder,
            variables={
                **self._variables(backend),
                **cached,
                **setup_variables(assignment.setup),
                "TMPDIR": str(temporary),
            },
            deadlines=self._request.deadlines,
        )
        log = log_path(self._folder, assignment.name)
        return Worker(assignment.task, launch, log, assignment.listen)

    def _variables(self, backend: str) -> dict[str, str]:
        # the run has its own KERAS_HOME: no configuration of the user's changes a trial
        home = str((self._folder / "keras").resolve())
        return {**self._recorded_variables(backend), "KERAS_HOME": home}

    def _recorded_variables(self, backend: str) -> dict[str, str]:
        """Return the worker's variables that may stand in a record."""
        # CUDA puts the fastest GPU first; the driver, which answers the parent about energy, clocks
        # and locks, counts them by bus. A user's own order is kept: `select_devices` checks it
        order = os.environ.get(ORDER, BY_BUS)
        return {ORDER: order, **self._request.place(backend).variables}

    def environment(self, backend: str, versions: Mapping[str, str]) -> EnvironmentModel:
        """Return the machine as this backend's workers see it."""
        return environment(versions, self._recorded_variables(backend))


def pilot_name(backend: str, cells: Sequence[Cell]) -> str:
    """Return the name of a pilot of these cells, after which its log is named."""
    if len(cells) == 1:
        return f"pilot-{cells[0].label}"
    device = cells[0].execution.device.replace(":", "") if cells else "probe"
    return f"pilot-{backend}_{device}"


def mark_out_of_memory(outcome: Outcome, before: int | None, after: int | None) -> Outcome:
    """Mark the outcome as out of memory if the kernel's OOM-kill count rose.

    No other SIGKILL makes this count rise.
    """
    killed = (outcome.reason or "").startswith(signal_reason(signal.SIGKILL))
    if before is None or after is None or after <= before or not killed:
        return outcome
    return replace(outcome, reason=f"{OUT_OF_MEMORY_PREFIX}{outcome.reason}")


def setup_variables(setup: Setup | None) -> dict[str, str]:
    """Return a trial's set-up as variables; the padding's name means nothing."""
    if setup is None:
        return {}
    return {"PYTHONHASHSEED": str(setup.hash_seed), "SAMESTEP_PADDING": "x" * setup.padding_bytes}
