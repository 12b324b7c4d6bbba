"""The workers of a request: each in its environment, one at a time, their time counted."""

import os
import random
import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from bench.errors import PREFIX
from bench.files import writing
from bench.machine.cgroups import memory_kills
from bench.machine.devices import BY_BUS, ORDER
from bench.machine.environment import environment
from bench.record import EnvironmentModel
from bench.record.run import now
from bench.run.outcome import Outcome
from bench.run.process import Launch, Listener, Worker, ended_by, run_in_turns
from bench.run.request import Request
from bench.run.scratch import scratch_folder
from bench.spec import Cell, Setup

CACHES = "caches"


@dataclass(slots=True)
class Spent:
    """What a session took from its making on: when it began, how long that is ago.

    `worker_seconds` are the wall seconds in which a worker ran, `parent_cpu_seconds` the parent's
    own CPU time meanwhile.
    """

    began: str = field(default_factory=now)
    began_monotonic: float = field(default_factory=time.monotonic)
    worker_seconds: float = 0.0
    parent_cpu_seconds: float = 0.0

    @property
    def wall_seconds(self) -> float:
        return time.monotonic() - self.began_monotonic

    @contextmanager
    def watching(self) -> Iterator[None]:
        started, cpu = time.monotonic(), time.process_time()
        try:
            yield
        finally:
            self.worker_seconds += time.monotonic() - started
            self.parent_cpu_seconds += time.process_time() - cpu


def ignore(event: Mapping[str, Any]) -> None:
    """A listener that has no use for events."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What one worker is to do: the content of its job, the name of its log, who hears of it.

    `cache` is where its compiler keeps what it has compiled: nowhere, in a folder that is empty and
    goes with the worker, or in one that all workers of this backend and run share.
    """

    backend: str
    content: Mapping[str, Any]
    name: str
    listen: Listener = ignore
    setup: Setup | None = None
    cache: Literal["none", "cold", "kept"] = "none"


class Workers:
    """Starts what a request needs; logs and the frameworks' own files go into `folder`."""

    def __init__(self, request: Request, folder: Path, packages: Path) -> None:
        self.spent = Spent()
        self._request = request
        self._folder = folder
        self._packages = packages

    def look(self, backend: str, cells: Sequence[Cell]) -> Outcome:
        """A pilot of these cells; without cells it tells versions and devices alone."""
        device = cells[0].execution.device.replace(":", "") if cells else "probe"
        many = f"{backend}_{device}"
        task = Task(
            backend=backend,
            content={"cells": [asdict(cell) for cell in cells]},
            name=f"pilot-{cells[0].label if len(cells) == 1 else many}",
            cache="kept" if any(cell.execution.mode != "default" for cell in cells) else "none",
        )
        (outcome,) = self.work([task], random.Random())
        return outcome

    def work(self, tasks: Sequence[Task], order: random.Random) -> list[Outcome]:
        """These tasks, from their start to their end, taking turns in what they time."""
        with ExitStack() as caches, scratch_folder() as temporary, self.spent.watching():
            workers = [
                self._worker(task, self._cache_folder(task, caches), temporary) for task in tasks
            ]
            kills = memory_kills()
            outcomes = run_in_turns(workers, order)
            return [told_apart(outcome, kills, memory_kills()) for outcome in outcomes]

    def _cache_folder(self, task: Task, caches: ExitStack) -> str | None:
        """The folder for what the task's compiler keeps; `caches` removes it where it is cold."""
        if self._request.places[task.backend].cache_variable is None or task.cache == "none":
            return None
        if task.cache == "cold":
            return str(caches.enter_context(scratch_folder()))
        kept = (self._folder / CACHES / task.backend).resolve()
        with writing(kept):
            kept.mkdir(parents=True, exist_ok=True)
        return str(kept)

    def _worker(self, task: Task, cache_folder: str | None, temporary: Path) -> Worker:
        """A worker; `temporary` takes what frameworks leave behind in a folder for a while."""
        backend = task.backend
        cache_variable = self._request.places[backend].cache_variable
        cached = {cache_variable: cache_folder} if cache_variable and cache_folder else {}
        launch = Launch(
            interpreter=self._request.interpreters[backend],
            packages=self._packages,
            variables={
                **self._variables(backend),
                **cached,
                **set_up(task.setup),
                "TMPDIR": str(temporary),
            },
            deadlines=self._request.deadlines,
        )
        job = {
            "backend": backend,
            "adapter": self._request.places[backend].adapter,
            "cache_folder": cache_folder,
            **task.content,
        }
        return Worker(job, launch, self._folder / "logs" / f"{task.name}.log", task.listen)

    def _variables(self, backend: str) -> dict[str, str]:
        # a KERAS_HOME of the run's own: nothing of the user's configuration changes a trial
        home = str((self._folder / "keras").resolve())
        return {**self._noted(backend), "KERAS_HOME": home}

    def _noted(self, backend: str) -> dict[str, str]:
        """Those of the worker's variables that may stand in a record."""
        # CUDA puts the fastest GPU first; the driver, whom the parent asks about energy, clocks and
        # locks, counts them by bus. A user who chose an order has it: `select_devices` checks it
        order = os.environ.get(ORDER, BY_BUS)
        return {ORDER: order, **self._request.places[backend].variables}

    def environment(self, backend: str, versions: Mapping[str, str]) -> EnvironmentModel:
        """The machine as this backend's workers see it."""
        return environment(versions, self._noted(backend))


def told_apart(outcome: Outcome, before: int | None, after: int | None) -> Outcome:
    """The outcome; of a worker that the kernel killed for memory it says so.

    Nobody else's SIGKILL makes the kernel's count of such kills rise.
    """
    killed = (outcome.reason or "").startswith(ended_by(signal.SIGKILL))
    if before is None or after is None or after <= before or not killed:
        return outcome
    return replace(outcome, reason=f"{PREFIX}{outcome.reason}")


def set_up(setup: Setup | None) -> dict[str, str]:
    """A trial's set-up as variables; the padding's name means nothing."""
    if setup is None:
        return {}
    return {"PYTHONHASHSEED": str(setup.hash_seed), "SAMESTEP_PADDING": "x" * setup.padding_bytes}
