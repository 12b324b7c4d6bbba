"""What every job of a worker needs, and the status and reason of a job that fails."""

import importlib
import os
import platform
import resource
import sys
import time
import traceback
from collections.abc import Callable, Iterable
from pathlib import Path

from bench import mnist
from bench.adapter import Array, Backend, Program
from bench.errors import (
    OUT_OF_MEMORY_PREFIX,
    ParityError,
    SamestepError,
    TrainingError,
    is_out_of_memory,
    one_line,
)
from bench.parity.rungs import Rung, require
from bench.spec import (
    TRAIN_IMAGES,
    Execution,
    LayerSummary,
    Status,
    Workload,
)
from bench.worker import measure
from bench.worker.messages import (
    BackendTask,
    Event,
    LayerRow,
    Process,
    Result,
    RungResult,
    Value,
)
from bench.worker.settings import require_settings

Send = Callable[[Event], None]


class UnsupportedError(SamestepError):
    """The backend says that it can't run this cell."""


class UnavailableError(SamestepError):
    """The framework or the device is not there."""


STATUS_OF_ERROR: dict[type[Exception], Status] = {
    UnsupportedError: "unsupported",
    UnavailableError: "unavailable",
    ParityError: "parity_failed",
    TrainingError: "failed_training",
}


class Job:
    """What a trial and a pilot share: the phases, the backend, the data, the result.

    `result` is what goes to the parent, filled as the job goes on.
    """

    def __init__(self, task: BackendTask, process: Process, send: Send) -> None:
        self.send = send
        self.result = Result(status="ok", reason=None, flags=[])
        self._backend_task = task
        self._process = process
        self._cache = cache_state(process["cache_folder"])
        self.phases = measure.Phases(
            time.monotonic, lambda name: send({"event": "phase", "phase": name})
        )
        self.phases.seconds["spawn"] = self._seconds_since_spawn()

    def _seconds_since_spawn(self) -> float:
        return time.monotonic() - self._process["spawned_monotonic"]

    def run(self) -> None:
        """Fill `result`; the entry turns an exception into a status and a reason."""
        raise NotImplementedError

    def open(self) -> Backend:
        """Read and verify the data, import the backend, note its versions and devices."""
        self.result["python"] = platform.python_version()
        with self.phases("environment"):
            self.data = mnist.load()
        with self.phases("import"):
            backend = import_backend(self._backend_task["adapter"], self._backend_task["backend"])
        with self.phases("device"):
            self.result["versions"] = backend.versions()
            self.result["devices"] = list(backend.devices())
            architectures = backend.architectures()
            self.result["architectures"] = None if architectures is None else list(architectures)
        return backend

    def await_turn(self) -> None:
        """Wait until it is this worker's turn to be timed."""
        with self.phases.apart("waiting"):
            self.send({"event": "turn"})
            if not os.read(self._process["turn_descriptor"], 1):
                raise SamestepError(
                    "the parent that gives the turns is gone. Expected: a byte on the pipe"
                )

    def build(self, backend: Backend, workload: Workload, execution: Execution) -> Program:
        """Build and return the program.

        Raises `UnavailableError` for a device that is not there, `UnsupportedError` for a cell
        that this backend can't run.
        """
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
        """Note the layers and the actual settings.

        Raises `ParityError` if a setting is not the one asked for.
        """
        with self.phases("device"):
            self.result["layers"] = [layer_row(layer) for layer in program.layers()]
            self.result["settings"] = self.settings(program)
            require_settings(execution, workload, self.result["settings"])

    def settings(self, program: Program) -> dict[str, Value]:
        """Return the actual settings and the state of the compiler's cache at the start."""
        return {**program.settings(), "compile_cache": self._cache}

    def climb(self, rungs: Iterable[Rung]) -> None:
        """Note each rung; raise `ParityError` for the first that fails."""
        with self.phases("parity"):
            noted = self.result.setdefault("rungs", [])
            for rung in rungs:
                noted.append(rung_result(rung))
                require(rung)

    def training_data(self, workload: Workload, count: int, seed: int) -> tuple[Array, Array]:
        """Return the first `count` images of the first epoch's order, and their labels.

        Images are float32 in [0, 1], of shape (count, *input_shape); labels (count,).
        """
        order = mnist.batch_order(seed, 0, TRAIN_IMAGES)[:count]
        images = mnist.scaled(self.data.train_images[order], workload.input_shape)
        return images, self.data.train_labels[order]

    def finish(self) -> None:
        """Note timings and memory, which exist however the trial ended."""
        self.phases.seconds["total"] = self._seconds_since_spawn()
        self.result["timings"] = {
            f"{name}_seconds": seconds for name, seconds in self.phases.seconds.items()
        }
        usage = resource.getrusage(resource.RUSAGE_SELF)
        self.result["cpu_seconds"] = usage.ru_utime + usage.ru_stime
        self.result.setdefault("peak_rss_bytes", peak_rss_bytes())


def layer_row(layer: LayerSummary) -> LayerRow:
    """Return a layer as it stands in the result."""
    return LayerRow(
        name=layer.name, kind=layer.kind, output_shape=layer.output_shape, count=layer.count
    )


def rung_result(rung: Rung) -> RungResult:
    """Return a rung as it stands in the result."""
    return RungResult(
        rung=rung.rung,
        measured=rung.measured,
        gate=rung.gate,
        where=rung.where,
        passed=rung.passed,
    )


def cache_state(folder: str | None) -> str:
    """Return the state of a compiler's cache: `cold` if it is empty, `primed`, or `none`."""
    if folder is None:
        return "none"
    return "primed" if any(Path(folder).rglob("*")) else "cold"


def peak_rss_bytes() -> int:
    """Return the peak memory of this process so far."""
    # Linux counts in KiB, macOS in bytes
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def import_backend(adapter: str, name: str) -> Backend:
    """Return the backend of this name, from its adapter's module.

    Raises `UnavailableError` if the framework is not installed or does not import: a broken
    installation raises anything on import, even `SystemExit`.
    """
    try:
        backend: Backend = importlib.import_module(adapter).open_backend(name)
    except MemoryError:
        # the import may succeed with more memory
        raise
    except (Exception, SystemExit) as error:
        traceback.print_exc()
        raise UnavailableError(f"{name} does not import: {one_line(error)}") from error
    return backend


def status_of(error: Exception) -> Status:
    return STATUS_OF_ERROR.get(type(error), "failed")


def reason_of(error: Exception) -> str:
    """Return the error on one line, with a prefix if memory ran out."""
    return f"{OUT_OF_MEMORY_PREFIX if is_out_of_memory(error) else ''}{one_line(error)}"
