"""One trial or one pilot, inside its process: the only importer of a backend.

Needs the standard library, NumPy and the backend's framework, nothing else. The job comes as JSON
on standard input; JSON lines go back on a pipe of their own: `{"event": "phase" | "epoch", ...}`
on the way, `{"event": "result", ...}` last. Standard output and error are the log's.
"""

import importlib
import json
import os
import resource
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import numpy as np

from bench import measure, mnist, parity
from bench.adapter import Array, Backend, Parameters, Program
from bench.errors import ParityError, SamestepError, TrainingError
from bench.spec import (
    TRAIN_IMAGES,
    AccuracyPlan,
    Cell,
    Execution,
    TimingPlan,
    Trial,
    Workload,
)
from bench.workloads import WORKLOADS

# activations stay small: with 1000 images at once the CNN took PyTorch four times as long
EVALUATION_BATCH = 250
INFERENCE_BATCH = 32
INFERENCE_PASSES = 1
RESIDENT_BATCHES = 16
PILOT_SLICES = (10, 60)

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


class Worker:
    """What a trial and a pilot share: the job, the phases, the backend, the data."""

    def __init__(self, job: dict[str, Any], send: Send) -> None:
        self.job = job
        self.send = send
        self.result: dict[str, Any] = {"status": "ok", "reason": None, "flags": []}
        self.phases = measure.Phases(
            time.monotonic, lambda name: send({"event": "phase", "phase": name})
        )
        self.phases.seconds["spawn"] = time.monotonic() - job["spawned_monotonic"]

    def open(self) -> Backend:
        """The data read and verified, the backend imported, its versions and devices noted."""
        with self.phases("environment"):
            self.data = mnist.load()
        with self.phases("import"):
            backend = import_backend(self.job["adapter"], self.job["backend"])
        with self.phases("device"):
            self.result["versions"] = backend.versions()
            self.result["devices"] = list(backend.devices())
        return backend

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

    def training_data(self, workload: Workload, count: int, seed: int) -> tuple[Array, Array]:
        """The first `count` images of the first epoch's order, and their labels."""
        order = mnist.batch_order(seed, 0, TRAIN_IMAGES)[:count]
        images = mnist.scaled(self.data.train_images[order], workload.input_shape)
        return images, self.data.train_labels[order]

    def finish(self) -> None:
        """Timings and memory, which exist however the trial ended."""
        self.phases.seconds["total"] = time.monotonic() - self.job["spawned_monotonic"]
        self.result["timings"] = {
            f"{name}_seconds": seconds for name, seconds in self.phases.seconds.items()
        }
        usage = resource.getrusage(resource.RUSAGE_SELF)
        self.result["cpu_seconds"] = usage.ru_utime + usage.ru_stime
        # Linux counts in KiB, macOS in bytes
        unit = 1 if sys.platform == "darwin" else 1024
        self.result["peak_rss_bytes"] = usage.ru_maxrss * unit


class TrialWorker(Worker):
    """One trial of one cell."""

    def run(self) -> None:
        self.trial = trial_from(self.job["trial"])
        self.workload = WORKLOADS[self.trial.cell.workload]
        self.batch_size = self.trial.cell.execution.batch_size
        backend = self.open()
        self.program = self.build(backend, self.workload, self.trial.cell.execution)
        with self.phases("load"):
            self.initial = mnist.initial_parameters(
                self.workload, self.trial.seed, self.trial.cell.execution.precision
            )
            self.program.load(self.initial, self.trial.seed)
        self.check()
        self.first_step()
        if self.trial.timing is not None:
            self.time(self.trial.timing)
        if self.trial.accuracy is not None:
            self.train(self.trial.accuracy)
        self.result["peak_device_bytes"] = self.program.peak_device_bytes()

    def check(self) -> None:
        """The short certificate and the settings; raises where the cell is not what it says."""
        with self.phases("parity"):
            layers = self.program.layers()
            self.result["layers"] = [asdict(layer) for layer in layers]
            self.result["settings"] = self.program.settings()
            require_device(self.trial.cell.execution.device, self.result["settings"]["device"])
            rungs = [
                parity.data_rung(self.job["digests"], self.digests()),
                parity.parameters_rung(self.workload, layers),
                parity.initial_rung(self.initial, self.program.parameters()),
            ]
            self.result["rungs"] = [{**asdict(rung), "passed": rung.passed} for rung in rungs]
            for rung in rungs:
                if not rung.passed:
                    raise ParityError(f"rung {rung.rung}: {rung.where}")

    def digests(self) -> dict[str, str]:
        return parity.digests(self.trial, self.data, self.initial)

    def first_step(self) -> None:
        """The first step, timed (it compiles), then everything loaded anew."""
        with self.phases("load"):
            images, labels = self.training_data(
                self.workload, RESIDENT_BATCHES * self.batch_size, self.trial.seed
            )
            starts = range(0, len(labels) - self.batch_size + 1, self.batch_size)
            self.batches = [
                self.program.put(
                    (images[at : at + self.batch_size], labels[at : at + self.batch_size])
                )
                for at in starts
            ]
        with self.phases("first_step"):
            self.program.train_step(self.batches[0])
            self.program.synchronize()
        with self.phases("load"):
            self.program.load(self.initial, self.trial.seed)

    def time(self, plan: TimingPlan) -> None:
        """The lanes `step`, `native` and `tutorial`, each warmed up."""
        with self.phases("load"):
            images, labels = self.training_data(
                self.workload, plan.native_steps * self.batch_size, self.trial.seed
            )
        with self.phases("warmup"):
            if not measure.warm_up(lambda: self.block(plan), plan.window_blocks):
                self.result["flags"].append("no_steady_state")
        with self.phases("step"):
            blocks = [self.block(plan) for _ in range(plan.blocks)]
        with self.phases("parity"):
            stepped = self.program.parameters()
            require_changed("the train step", self.initial, stepped)
        with self.phases("warmup"):
            warm = measure.short_steps(plan) * self.batch_size
            self.program.fit(images[:warm], labels[:warm], self.batch_size)
        with self.phases("native"):
            native = measure.native_lane(
                self.program, images, labels, self.batch_size, plan, time.perf_counter
            )
        with self.phases("parity"):
            require_changed("fit", stepped, self.program.parameters())
        self.result["lanes"] = {
            "step": {
                "block_seconds": blocks,
                "steps_per_block": plan.steps_per_block,
                "batch_size": self.batch_size,
            },
            "native": native,
        }
        with self.phases("tutorial"):
            self.time_tutorial(images, labels, plan.tutorial_steps)

    def block(self, plan: TimingPlan) -> float:
        return measure.step_block(
            self.program, self.batches, plan.steps_per_block, time.perf_counter
        )

    def time_tutorial(self, images: Array, labels: Array, steps: int) -> None:
        """One warm slice through a newcomer's pipeline; a reason where it isn't installed."""
        folder = mnist.raw_folder()
        warm, count = self.batch_size, steps * self.batch_size
        try:
            self.program.tutorial(folder, images[:warm], labels[:warm], self.batch_size)
        except ImportError as error:
            self.result["tutorial_missing"] = one_line(error)
            return
        self.program.synchronize()
        started = time.perf_counter()
        self.program.tutorial(folder, images[:count], labels[:count], self.batch_size)
        self.program.synchronize()
        self.result["lanes"]["tutorial"] = {
            "slice_seconds": [time.perf_counter() - started],
            "steps_per_slice": steps,
            "batch_size": self.batch_size,
        }

    def train(self, plan: AccuracyPlan) -> None:
        """Train, evaluate after every epoch outside the clock, predict all test images."""
        with self.phases("load"):
            images = mnist.scaled(
                self.data.train_images[: plan.train_images], self.workload.input_shape
            )
            labels = self.data.train_labels[: plan.train_images]
            self.test = (
                mnist.scaled(self.data.test_images, self.workload.input_shape),
                self.data.test_labels,
            )
        with self.phases("accuracy"):
            epochs = [
                self.train_epoch(epoch, images, labels) for epoch in range(1, plan.epochs + 1)
            ]
            require_changed("fit", self.initial, self.program.parameters())
            train_loss, train_accuracy = self.program.evaluate(images, labels, EVALUATION_BATCH)
            self.result["accuracy"] = {
                "train_images": plan.train_images,
                "epochs": epochs,
                "final_train_loss": train_loss,
                "final_train_accuracy": train_accuracy,
                **self.predict(),
            }

    def train_epoch(self, epoch: int, images: Array, labels: Array) -> dict[str, float]:
        """One epoch in its own order. Raises `TrainingError` for a loss that is not finite."""
        order = mnist.batch_order(self.trial.seed, epoch - 1, len(labels))
        ordered_images, ordered_labels = images[order], labels[order]
        self.program.synchronize()
        started = time.perf_counter()
        loss, accuracy = self.program.fit(ordered_images, ordered_labels, self.batch_size)
        self.program.synchronize()
        seconds = time.perf_counter() - started
        require_finite(f"train loss of epoch {epoch}", loss)
        test_loss, test_accuracy = self.program.evaluate(*self.test, EVALUATION_BATCH)
        require_finite(f"test loss of epoch {epoch}", test_loss)
        figures = {
            "epoch": epoch,
            "train_loss": loss,
            "train_accuracy": accuracy,
            "test_loss": test_loss,
            "test_accuracy": test_accuracy,
            "seconds": seconds,
        }
        self.send({"event": "epoch", **figures})
        return figures

    def predict(self) -> dict[str, Any]:
        """Classes and confidences of all test images, and the throughput of predicting them."""
        images, labels = self.test
        logits = self.program.predict(images, INFERENCE_BATCH)
        seconds = []
        for _ in range(INFERENCE_PASSES):
            started = time.perf_counter()
            self.program.predict(images, INFERENCE_BATCH)
            seconds.append(time.perf_counter() - started)
        probabilities = softmax(logits)
        predicted = probabilities.argmax(axis=1)
        truth = probabilities[np.arange(len(labels)), labels]
        return {
            "final_test_loss": float(-np.log(np.maximum(truth, 1e-300)).mean()),
            "final_test_accuracy": float((predicted == labels).mean()),
            "predicted": predicted.tolist(),
            "confidence": probabilities.max(axis=1).round(6).tolist(),
            "inference": {
                "batch_size": INFERENCE_BATCH,
                "images": len(labels),
                "seconds": seconds,
            },
        }


class PilotWorker(Worker):
    """A short look at each workload on one device, so that a plan and an estimate can be made."""

    def run(self) -> None:
        backend = self.open()
        shared = sum(self.phases.seconds.values())
        self.result["cells"] = [
            self.measure(
                backend, Cell(**{**cell, "execution": Execution(**cell["execution"])}), shared
            )
            for cell in self.job["cells"]
        ]

    def measure(self, backend: Backend, cell: Cell, shared: float) -> dict[str, Any]:
        """What a trial of this cell will cost; the reason where it can't be had."""
        started = time.monotonic()
        workload, size = WORKLOADS[cell.workload], cell.execution.batch_size
        try:
            program = self.build(backend, workload, cell.execution)
            with self.phases("load"):
                program.load(mnist.initial_parameters(workload, 0, cell.execution.precision), 0)
                images, labels = self.training_data(workload, max(PILOT_SLICES) * size, 0)
                batch = program.put((images[:size], labels[:size]))
            with self.phases("first_step"):
                program.train_step(batch)
                program.synchronize()
            setup = time.monotonic() - started
            with self.phases("step"):
                steps, step_seconds = measure.block_size(program, [batch], time.perf_counter)
            with self.phases("native"):
                program.fit(images[: 5 * size], labels[: 5 * size], size)
                native_step_seconds = self.native_step(program, images, labels, size)
        except Exception as error:
            traceback.print_exc()
            return {"cell": cell.label, "status": status_of(error), "reason": one_line(error)}
        return {
            "cell": cell.label,
            "status": "ok",
            "setup_seconds": shared + setup,
            "step_seconds": step_seconds,
            "steps_per_block": steps,
            "native_step_seconds": native_step_seconds,
        }

    def native_step(self, program: Program, images: Array, labels: Array, size: int) -> float:
        """Seconds of a step in the framework's own loop, the loop's start-up left out."""
        short, long = (
            measure.fit_slice(
                program, images[: steps * size], labels[: steps * size], size, time.perf_counter
            )
            for steps in PILOT_SLICES
        )
        few, many = PILOT_SLICES
        # where noise ate the difference, the long slice with its start-up is the better guess
        return (long - short) / (many - few) if long > 2 * short else long / many


def import_backend(adapter: str, name: str) -> Backend:
    """Raises `UnavailableError` where the framework is not installed or does not import."""
    try:
        backend: Backend = importlib.import_module(adapter).open_backend(name)
    except (ImportError, OSError) as error:
        traceback.print_exc()
        raise UnavailableError(f"{name} does not import: {one_line(error)}") from error
    return backend


def trial_from(fields: dict[str, Any]) -> Trial:
    """The trial that the parent sent as nested dictionaries."""
    cell = fields["cell"]
    timing, accuracy = fields["timing"], fields["accuracy"]
    return Trial(
        **{
            **fields,
            "cell": Cell(**{**cell, "execution": Execution(**cell["execution"])}),
            "timing": timing and TimingPlan(**timing),
            "accuracy": accuracy and AccuracyPlan(**accuracy),
        }
    )


def require_device(requested: str, effective: object) -> None:
    """Raise `ParityError` where the tensors are elsewhere than the cell says."""
    if effective != requested:
        raise ParityError(
            f"the tensors are on another device. Expected: {requested}. Received: {effective}"
        )


def require_changed(what: str, before: Parameters, after: Parameters) -> None:
    """Raise `ParityError` where training left every weight as it was."""
    if parity.initial_rung(before, after).passed:
        raise ParityError(f"{what} changed no weight. Expected: an update. Received: the same")


def require_finite(what: str, loss: float) -> None:
    if not np.isfinite(loss):
        raise TrainingError(f"{what}. Expected: a finite number. Received: {loss}")


def softmax(logits: Array) -> Array:
    """Probabilities in float64, row by row; shifted by the maximum so that exp can't overflow."""
    shifted = logits.astype(np.float64)
    shifted -= shifted.max(axis=1, keepdims=True)
    exponentials = np.exp(shifted)
    return np.asarray(exponentials / exponentials.sum(axis=1, keepdims=True))


def status_of(error: Exception) -> str:
    return STATUS_OF_ERROR.get(type(error), "failed")


def one_line(error: Exception) -> str:
    """The error's type and the first line of its text; for our own errors the text alone."""
    text = next(iter(str(error).splitlines()), "")
    return text if isinstance(error, SamestepError) else f"{type(error).__name__}: {text}"


def main() -> None:
    job = json.load(sys.stdin)
    with os.fdopen(job["result_descriptor"], "w", encoding="utf-8") as pipe:

        def send(event: dict[str, Any]) -> None:
            pipe.write(json.dumps(event, allow_nan=False) + "\n")
            pipe.flush()

        worker = PilotWorker(job, send) if "cells" in job else TrialWorker(job, send)
        try:
            worker.run()
        except Exception as error:
            traceback.print_exc()
            worker.result.update(status=status_of(error), reason=one_line(error))
        worker.finish()
        try:
            send({"event": "result", "result": worker.result})
        except (TypeError, ValueError) as error:
            reason = f"the result does not fit into JSON: {one_line(error)}"
            send({"event": "result", "result": {"status": "failed", "reason": reason}})


if __name__ == "__main__":
    main()
