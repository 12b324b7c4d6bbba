"""What every job of a worker needs, and how its failures are told."""

import importlib
import os
import platform
import resource
import sys
import time
import traceback
from collections.abc import Callable, Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bench import mnist
from bench.adapter import Array, Backend, Program
from bench.errors import (
    PREFIX,
    ParityError,
    SamestepError,
    TrainingError,
    is_out_of_memory,
    one_line,
)
from bench.parity.rungs import Rung, require
from bench.spec import (
    TRAIN_IMAGES,
    AccuracyPlan,
    Cell,
    Execution,
    ParityPlan,
    Setup,
    TimingPlan,
    Trial,
    Workload,
)
from bench.worker import measure
from bench.worker.settings import require_in_force

Send = Callable[[dict[str, Any]], None]


class UnsupportedError(SamestepError):
    """The backend says that it can't run this cell."""


class UnavailableError(SamestepError):
    """The framework or the device is not there."""


STATUS_OF_ERROR: dict[type[Exception], str] = {
    UnsupportedError: "unsupported",
    UnavailableError: "unavailable",
    ParityError: "parity_failed",
    TrainingError: "failed_training",
}


class Job:
    """What a trial and a pilot share: the task, the phases, the backend, the data.

    `result` is what goes to the parent, filled as the job goes on.
    """

    def __init__(self, task: dict[str, Any], send: Send) -> None:
        self.task = task
        self.send = send
        self.result: dict[str, Any] = {"status": "ok", "reason": None, "flags": []}
        self._cache = cache_state(task.get("cache_folder"))
        self.phases = measure.Phases(
            time.monotonic, lambda name: send({"event": "phase", "phase": name})
        )
        self.phases.seconds["spawn"] = time.monotonic() - task["spawned_monotonic"]

    def run(self) -> None:
        """Fill `result`; an exception is told by the entry."""
        raise NotImplementedError

    def open(self) -> Backend:
        """The data read and verified, the backend imported, its versions and devices noted."""
        self.result["python"] = platform.python_version()
        with self.phases("environment"):
            self.data = mnist.load()
        with self.phases("import"):
            backend = import_backend(self.task["adapter"], self.task["backend"])
        with self.phases("device"):
            self.result["versions"] = backend.versions()
            self.result["devices"] = list(backend.devices())
            self.result["architectures"] = backend.architectures()
        return backend

    def await_turn(self) -> None:
        """Return when it is this worker's turn to be timed; at once where nobody takes turns."""
        turns = self.task.get("turn_descriptor")
        if turns is None:
            return
        with self.phases.apart("waiting"):
            self.send({"event": "turn"})
            if not os.read(turns, 1):
                raise SamestepError("whoever gives the turns is gone. Expected: a byte on the pipe")

    def build(self, backend: Backend, workload: Workload, execution: Execution) -> Program:
        """The program, built. Raises for a cell that this backend or machine can't run."""
        with self.phases("device"):
            if execution.device not in self.result["devices"]:
                raise UnavailableError(
                    f"no such device in {backend.name}. Expected: one of "
                    f"{', '.join(self.result['devices'])}. Received: {execution.device}"
                )
            reason = backend.unsupported(workload, execution)
            if reason is not None:
                raise UnsupportedError(reason)
        with self.phases("build"):
            return backend.build(workload, execution)

    def describe(self, program: Program, workload: Workload, execution: Execution) -> None:
        """Layers and settings as they are; raises where they are not those asked for."""
        with self.phases("device"):
            self.result["layers"] = [asdict(layer) for layer in program.layers()]
            self.result["settings"] = self.settings(program)
            require_in_force(execution, workload, self.result["settings"])

    def settings(self, program: Program) -> dict[str, str | int | float | bool | None]:
        """What is in force, the state of the compiler's cache at the start with it."""
        return {**program.settings(), "compile_cache": self._cache}

    def climb(self, rungs: Iterable[Rung]) -> None:
        """Note each rung; the first that fails ends the job as `ParityError`."""
        with self.phases("parity"):
            noted = self.result.setdefault("rungs", [])
            for rung in rungs:
                noted.append({**asdict(rung), "passed": rung.passed})
                require(rung)

    def training_data(self, workload: Workload, count: int, seed: int) -> tuple[Array, Array]:
        """The first `count` images of the first epoch's order, and their labels."""
        order = mnist.batch_order(seed, 0, TRAIN_IMAGES)[:count]
        images = mnist.scaled(self.data.train_images[order], workload.input_shape)
        return images, self.data.train_labels[order]

    def finish(self) -> None:
        """Timings and memory, which exist however the trial ended."""
        self.phases.seconds["total"] = time.monotonic() - self.task["spawned_monotonic"]
        self.result["timings"] = {
            f"{name}_seconds": seconds for name, seconds in self.phases.seconds.items()
        }
        usage = resource.getrusage(resource.RUSAGE_SELF)
        self.result["cpu_seconds"] = usage.ru_utime + usage.ru_stime
        self.result.setdefault("peak_rss_bytes", peak_rss_bytes())


def cache_state(folder: str | None) -> str:
    """Of a compiler's cache: `cold` where nothing is in it, `primed`, or `none`."""
    if folder is None:
        return "none"
    return "primed" if any(Path(folder).rglob("*")) else "cold"


def peak_rss_bytes() -> int:
    """Of this process so far."""
    # Linux counts in KiB, macOS in bytes
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def import_backend(adapter: str, name: str) -> Backend:
    """Raises `UnavailableError` where the framework is not installed or does not import.

    A broken installation raises anything on import, even `SystemExit`.
    """
    try:
        backend: Backend = importlib.import_module(adapter).open_backend(name)
    except MemoryError:
        # it may import very well where there is more
        raise
    except (Exception, SystemExit) as error:
        traceback.print_exc()
        raise UnavailableError(f"{name} does not import: {one_line(error)}") from error
    return backend


def status_of(error: Exception) -> str:
    return STATUS_OF_ERROR.get(type(error), "failed")


def reason_of(error: Exception) -> str:
    """The error on one line, and first of all where it was memory that ran out."""
    return f"{PREFIX if is_out_of_memory(error) else ''}{one_line(error)}"


def trial_from(fields: dict[str, Any]) -> Trial:
    """The trial that the parent sent as nested dictionaries."""
    cell = fields["cell"]
    parity, timing, accuracy = fields["parity"], fields["timing"], fields["accuracy"]
    setup = fields["setup"]
    return Trial(
        **{
            **fields,
            "cell": Cell(**{**cell, "execution": Execution(**cell["execution"])}),
            "setup": setup and Setup(**setup),
            "parity": parity and ParityPlan(**parity),
            "timing": timing and TimingPlan(**timing),
            "accuracy": accuracy and AccuracyPlan(**accuracy),
        }
    )
