"""A fake backend that obeys every rule, but learns only how frequent each class is.

Its logits are the last bias, the same for every image, so that a trial takes almost no time. If
its weights are those of a parity probe, which no training starts with, it computes the whole
network with the oracle. It works asynchronously, like a GPU: work is queued, and done at the next
synchronization. Its clock is virtual and counts in binary fractions of a second, so that all
measured times are exact.

Every other program in `PROGRAMS` has one fault.
"""

import ctypes
import os
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.adapter import Array, Batch, Parameters
from bench.parity import oracle
from bench.spec import Execution, LayerSummary, Workload

STEP_SECONDS = 1 / 512
NATIVE_STEP_SECONDS = 1 / 256
FIT_SECONDS = 1 / 16
TUTORIAL_STEP_SECONDS = 1 / 128
PRODUCT_SECONDS = 1 / 64
ACCUMULATE_SECONDS = 1 / 128
COMPILE_SECONDS = 0.2
LEARNING_RATE = 0.1


class Clock:
    """A clock of virtual time, in seconds."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


CLOCK = Clock()


class FakeProgram:
    def __init__(self, workload: Workload, execution: Execution, clock: Clock = CLOCK) -> None:
        self._workload = workload
        self._device = execution.device
        self._clock = clock
        self._queued_seconds = 0.0
        self._precision = execution.precision
        self._parameters: dict[str, Array] = {}
        self._oracle: oracle.Oracle | None = None
        self._metrics: list[tuple[float, float, int]] = []
        *_, self._last = workload.parameter_shapes()
        self.steps = 0
        self.fitted_images: list[int] = []

    def layers(self) -> Sequence[LayerSummary]:
        return self._workload.summary()

    def load(self, parameters: Parameters, seed: int) -> None:
        self._parameters = {name: value.copy() for name, value in parameters.items()}
        self._metrics = []
        is_probe = any(value.any() for name, value in parameters.items() if name.endswith("bias"))
        self._oracle = oracle.Oracle(self._workload, parameters) if is_probe else None

    def parameters(self) -> dict[str, Array]:
        if self._oracle is not None and self._oracle.steps:
            trained = self._oracle.parameters.items()
            return {name: value.astype(self._precision) for name, value in trained}
        return {name: value.copy() for name, value in self._parameters.items()}

    def put(self, batch: Batch) -> Any:
        return batch

    def forward(self, batch: Any) -> Array:
        if self._oracle is not None:
            outputs = oracle.activations(self._workload, self._oracle.parameters, batch[0])
            return outputs[list(outputs)[-1]]
        return np.tile(self._parameters[self._last], (len(batch[0]), 1))

    def gradients(self, batch: Any) -> tuple[float, dict[str, Array]]:
        if self._oracle is not None:
            done = oracle.run(self._workload, self._oracle.parameters, *batch)
            return done.loss, done.gradients
        loss, own = self._loss_of_last_bias(batch[1])
        gradients = {name: np.zeros_like(value) for name, value in self._parameters.items()}
        gradients[self._last] += own
        return loss, gradients

    def _loss_of_last_bias(self, labels: Array) -> tuple[float, Array]:
        """Return the loss, and the gradient of the last bias; all other gradients are zero."""
        shares = np.bincount(labels, minlength=10) / len(labels)
        probabilities = np.exp(self._parameters[self._last].astype(np.float64))
        probabilities /= probabilities.sum()
        loss = float(-(shares * np.log(probabilities)).sum())
        return loss, (probabilities - shares).astype(np.float32)

    def train_step(self, batch: Any) -> None:
        self.steps += 1
        self._queued_seconds += STEP_SECONDS
        self._update(batch)

    def _update(self, batch: Any) -> float:
        if self._oracle is not None:
            done = self._oracle.step(*batch)
            accuracy = oracle.accuracy(done.logits, batch[1])
            self._metrics.append((done.loss, accuracy, len(batch[1])))
            return done.loss
        loss, gradient = self._loss_of_last_bias(batch[1])
        self._parameters[self._last] -= LEARNING_RATE * gradient
        return loss

    def take_metrics(self) -> tuple[float, float]:
        losses, accuracies, counts = zip(*self._metrics, strict=True)
        self._metrics = []
        return (
            float(np.average(losses, weights=counts)),
            float(np.average(accuracies, weights=counts)),
        )

    def fit(self, images: Array, labels: Array, batch_size: int) -> tuple[float, float]:
        if self._oracle is not None:
            for start in range(0, len(labels), batch_size):
                chosen = slice(start, start + batch_size)
                self._update((images[chosen], labels[chosen]))
            return self.take_metrics()
        self.fitted_images.append(len(images))
        self._queued_seconds += FIT_SECONDS + NATIVE_STEP_SECONDS * -(-len(images) // batch_size)
        loss = self._update((images, labels))
        return loss, self._accuracy(labels)

    def tutorial(self, folder: Path, images: Array, labels: Array, batch_size: int) -> None:
        self._queued_seconds += TUTORIAL_STEP_SECONDS * -(-len(images) // batch_size)
        self._update((images, labels))

    def evaluate(self, images: Array, labels: Array, batch_size: int) -> tuple[float, float]:
        self._clock.seconds += NATIVE_STEP_SECONDS * -(-len(images) // batch_size)
        return self.gradients((images, labels))[0], self._accuracy(labels)

    def _accuracy(self, labels: Array) -> float:
        predicted = self._parameters[self._last].argmax()
        return float((labels == predicted).mean())

    def predict(self, images: Array, batch_size: int) -> NDArray[np.float32]:
        self._clock.seconds += NATIVE_STEP_SECONDS * -(-len(images) // batch_size)
        return self.forward((images, None))

    def queue(self, seconds: float) -> None:
        self._queued_seconds += seconds

    def synchronize(self) -> None:
        self._clock.seconds += self._queued_seconds
        self._queued_seconds = 0.0

    def compilations(self) -> int:
        return 0

    def peak_device_bytes(self) -> int | None:
        return None

    def settings(self) -> dict[str, Any]:
        return {
            "device": self._device,
            "dtype": "float32",
            "precision": self._precision,
            "threads_intra": 1,
            "optimizer_equations": "keras",
            "optimizer_epsilon": self._workload.optimizer.epsilon,
            "threads": 1,
        }


class Crashing(FakeProgram):
    def evaluate(self, images: Array, labels: Array, batch_size: int) -> tuple[float, float]:
        os.kill(os.getpid(), signal.SIGSEGV)
        raise AssertionError("still alive")


class Lingering(FakeProgram):
    """A correct program that leaves a process, which keeps every descriptor open."""

    def __init__(self, workload: Workload, execution: Execution) -> None:
        super().__init__(workload, execution)
        child = os.fork()
        if child == 0:
            time.sleep(600)
        print(f"lingering in process {child}", flush=True)


class ListSettings(FakeProgram):
    def settings(self) -> dict[str, Any]:
        return {**super().settings(), "threads": [1, 2]}


class ObjectSettings(FakeProgram):
    def settings(self) -> dict[str, Any]:
        return {**super().settings(), "threads": self}


class NanInTraining(FakeProgram):
    def fit(self, images: Array, labels: Array, batch_size: int) -> tuple[float, float]:
        super().fit(images, labels, batch_size)
        return float("nan"), 0.1


class NanInEvaluation(FakeProgram):
    def evaluate(self, images: Array, labels: Array, batch_size: int) -> tuple[float, float]:
        return float("inf"), 0.1


class Raising(FakeProgram):
    def fit(self, images: Array, labels: Array, batch_size: int) -> tuple[float, float]:
        raise RuntimeError("out of memory\nwhile allocating 3 GiB")


class Wider(FakeProgram):
    """A program with one parameter more than the workload has."""

    def layers(self) -> Sequence[LayerSummary]:
        *others, last = super().layers()
        return (*others, replace(last, count=last.count + 1))


class Elsewhere(FakeProgram):
    def settings(self) -> dict[str, Any]:
        return {**super().settings(), "device": "cuda:0"}


class Drifting(FakeProgram):
    """A program that changes the parameters a little when it loads them."""

    def load(self, parameters: Parameters, seed: int) -> None:
        super().load(parameters, seed)
        self._parameters[self._last][:3] += 1e-2


class Idle(FakeProgram):
    """A program with steps that take time but change nothing."""

    def _update(self, batch: Any) -> float:
        return self.gradients(batch)[0]


class IdleStep(FakeProgram):
    """A program with a train step that changes nothing, and a `fit` that trains."""

    def train_step(self, batch: Any) -> None:
        self._queued_seconds += STEP_SECONDS


class IdleFit(FakeProgram):
    """A program with a `fit` that changes nothing, and a train step that trains."""

    def fit(self, images: Array, labels: Array, batch_size: int) -> tuple[float, float]:
        return self.evaluate(images, labels, batch_size)


class EarlyReturning(FakeProgram):
    """A program that synchronizes too early: it does most of the work when weights are read."""

    def synchronize(self) -> None:
        done = self._queued_seconds / 8
        self._clock.seconds += done
        self._late_seconds = self._queued_seconds - done
        self._queued_seconds = 0.0

    def parameters(self) -> dict[str, Array]:
        self._clock.seconds += getattr(self, "_late_seconds", 0.0)
        self._late_seconds = 0.0
        return super().parameters()


class Skipping(FakeProgram):
    """A program that computes only one of the steps between two synchronizations."""

    def train_step(self, batch: Any) -> None:
        super().train_step(batch)
        self._queued_seconds = STEP_SECONDS


class Compiling(FakeProgram):
    """A program with the modes `compiled` and `epoch`, and a cache in the folder FAKE_CACHE.

    Phases are in real time, so its first step sleeps: less if the cache has the program.
    """

    def __init__(self, workload: Workload, execution: Execution) -> None:
        super().__init__(workload, execution)
        self._execution = execution
        self._compiled = False

    def train_step(self, batch: Any) -> None:
        if not self._compiled:
            self._compiled = True
            time.sleep(compile_seconds(os.environ.get("FAKE_CACHE")))
        size = self._execution.batch_size
        for start in range(0, len(batch[1]), size):
            super().train_step(tuple(array[start : start + size] for array in batch))

    def compilations(self) -> int:
        return int(self._compiled)

    def settings(self) -> dict[str, Any]:
        return {**super().settings(), "compiled": "fake" if self._compiled else False}


def compile_seconds(cache: str | None) -> float:
    """Return the seconds that a compilation takes; put the program into the cache, if any."""
    if cache is None:
        return COMPILE_SECONDS
    cached = Path(cache) / "program"
    if cached.exists():
        return COMPILE_SECONDS / 4
    cached.write_text("compiled")
    return COMPILE_SECONDS


class FallingBack(Compiling):
    """A program that silently does not compile."""

    def settings(self) -> dict[str, Any]:
        return {**super().settings(), "compiled": False}


class Recompiling(FakeProgram):
    """A program that compiles its step again every thousand steps."""

    def compilations(self) -> int:
        return self.steps // 1000


class WithoutTutorial(FakeProgram):
    def tutorial(self, folder: Path, images: Array, labels: Array, batch_size: int) -> None:
        raise ImportError("No module named 'fakevision'")


class Diverging(FakeProgram):
    """A program with a gradient of the first layer that is too large by a hundredth."""

    def gradients(self, batch: Any) -> tuple[float, dict[str, Array]]:
        loss, gradients = super().gradients(batch)
        first = next(iter(gradients))
        return loss, {**gradients, first: gradients[first] * 1.01}


class NanInGradients(FakeProgram):
    """A program with one value in the first layer's gradient that is not a number."""

    def gradients(self, batch: Any) -> tuple[float, dict[str, Array]]:
        loss, gradients = super().gradients(batch)
        first = next(iter(gradients))
        damaged = gradients[first].copy()
        damaged[3, 5] = np.nan
        return loss, {**gradients, first: damaged}


PROGRAMS: dict[str, type[FakeProgram]] = {
    "fake": FakeProgram,
    "fake-crash": Crashing,
    "fake-lingering": Lingering,
    "fake-list-settings": ListSettings,
    "fake-object-settings": ObjectSettings,
    "fake-nan": NanInTraining,
    "fake-nan-test": NanInEvaluation,
    "fake-raising": Raising,
    "fake-wider": Wider,
    "fake-elsewhere": Elsewhere,
    "fake-drifting": Drifting,
    "fake-idle": Idle,
    "fake-idle-step": IdleStep,
    "fake-idle-fit": IdleFit,
    "fake-early": EarlyReturning,
    "fake-recompiling": Recompiling,
    "fake-skipping": Skipping,
    "fake-compiling": Compiling,
    "fake-falling-back": FallingBack,
    "fake-no-tutorial": WithoutTutorial,
    "fake-diverging": Diverging,
    "fake-nan-gradients": NanInGradients,
    "fake-uncalibrated": FakeProgram,
}


class FakeBackend:
    def __init__(self, name: str) -> None:
        self.name = name

    def versions(self) -> dict[str, str]:
        return {"fake": "1.0", "numpy": np.__version__}

    def devices(self) -> tuple[str, ...]:
        return ("cpu",)

    def architectures(self) -> tuple[str, ...] | None:
        return ("sm_90", "compute_90")

    def unsupported(self, workload: Workload, execution: Execution) -> str | None:
        compiles = issubclass(PROGRAMS[self.name], Compiling)
        known = ("default", "compiled", "epoch") if compiles else ("default",)
        return None if execution.mode in known else f"no mode {execution.mode!r} here"

    def build(self, workload: Workload, execution: Execution) -> FakeProgram:
        self._program = PROGRAMS[self.name](workload, execution)
        return self._program

    def product(self, left: Array, right: Array, execution: Execution) -> Callable[[], object]:
        if self.name == "fake-uncalibrated":
            raise NotImplementedError("no product\nhere")
        return lambda: self._program.queue(PRODUCT_SECONDS)

    def accumulate(self, count: int, execution: Execution) -> Callable[[], object]:
        return lambda: self._program.queue(ACCUMULATE_SECONDS)


def open_backend(name: str) -> FakeBackend:
    """Return the backend; from then on this process has its virtual time."""
    if name == "fake-missing":
        raise ModuleNotFoundError("No module named 'fake_framework'")
    if name == "fake-broken":
        raise OSError("libfake.so.9: cannot open shared object file")
    if name == "fake-pausing":
        print("pausing", flush=True)
        # in native code, which no signal handler of Python interrupts
        ctypes.PyDLL(None).pause()
    if name == "fake-crooked":
        raise AttributeError("module 'numpy' has no attribute 'float_'")
    if name == "fake-leaving":
        raise SystemExit("no licence found")
    time.perf_counter = CLOCK
    return FakeBackend(name)
