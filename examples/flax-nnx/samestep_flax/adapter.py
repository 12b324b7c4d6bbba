"""Flax NNX behind the protocols of `bench.adapter`, which say what each method must do."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import flax
import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx

from bench.adapter import Array, Batch, Parameters
from bench.spec import CLASSES, Execution, LayerSummary, Workload
from samestep_flax import data, machine, models, optimizers


class FlaxProgram:
    def __init__(self, workload: Workload, execution: Execution, queue: machine.Queue) -> None:
        self._workload, self._dtype, self._queue = workload, execution.precision, queue
        self._rule = optimizers.keras_optimizer(workload.optimizer)
        self._train, self._gradients = nnx.jit(models.train), nnx.jit(models.gradients)
        self._logits = nnx.jit(lambda model, images: model(images))
        self.load({}, seed=0)

    def layers(self) -> Sequence[LayerSummary]:
        return tuple(models.summary(self._model, self._dtype))

    def load(self, parameters: Parameters, seed: int) -> None:
        self._model = models.Network(self._workload, self._dtype, nnx.Rngs(seed))
        self._optimizer = nnx.Optimizer(self._model, self._rule, wrt=nnx.Param)
        self._metrics = models.metrics(self._dtype)
        for name, value in parameters.items():
            layer, part = name.split("/")
            getattr(getattr(self._model, layer), part)[...] = jnp.array(value)

    def parameters(self) -> dict[str, Array]:
        return models.canonical(self._workload, nnx.state(self._model, nnx.Param))

    def put(self, batch: Batch) -> Any:
        images, labels = batch
        placed = jax.device_put((images.astype(self._dtype), self._targets(labels)))
        return jax.block_until_ready(placed)

    def _targets(self, labels: Array) -> Array:
        if self._workload.labels == "integer":
            return labels.astype(np.int32)
        return np.eye(CLASSES, dtype=self._dtype)[labels]

    def forward(self, batch: Any) -> Array:
        return np.asarray(self._logits(self._model, batch[0].astype(self._dtype)))

    def gradients(self, batch: Any) -> tuple[float, dict[str, Array]]:
        (loss, _), found = self._gradients(self._model, *batch)
        return float(loss), models.canonical(self._workload, found)

    def train_step(self, batch: Any) -> None:
        self._train(self._model, self._optimizer, self._metrics, *batch)

    def take_metrics(self) -> tuple[float, float]:
        means, self._metrics = self._metrics.compute(), models.metrics(self._dtype)
        return float(means["loss"]), float(means["accuracy"])

    def fit(self, images: Array, labels: Array, batch_size: int) -> tuple[float, float]:
        self._metrics = models.metrics(self._dtype)
        for batch in data.batches(images, labels, batch_size=batch_size):
            self.train_step(self.put(batch))
        return self.take_metrics()

    def tutorial(self, folder: Path, images: Array, labels: Array, batch_size: int) -> None:
        order = np.random.RandomState(0).permutation(len(labels))
        self.fit(images[order], labels[order], batch_size)

    def evaluate(self, images: Array, labels: Array, batch_size: int) -> tuple[float, float]:
        logits, targets = self.predict(images, batch_size), self._targets(labels)
        losses, hits = models.losses(logits, targets), models.hits(logits, targets)
        return float(losses.mean()), float(hits.mean())

    def predict(self, images: Array, batch_size: int) -> Array:
        found = [self.forward(batch) for batch in data.batches(images, batch_size=batch_size)]
        return np.concatenate(found)

    def synchronize(self) -> None:
        changed = self._model, self._optimizer, self._metrics
        jax.block_until_ready((*map(nnx.state, changed), self._queue.last))

    def compilations(self) -> int:
        return int(self._train.jitted_fn._cache_size())

    def peak_device_bytes(self) -> int | None:
        return None

    def settings(self) -> dict[str, str | int | float | bool | None]:
        *_, (_, parameter) = nnx.to_flat_state(nnx.state(self._model, nnx.Param))
        (device,) = parameter[...].devices()
        return {
            "device": device.platform,
            "dtype": str(parameter.dtype),
            "precision": str(parameter.dtype),
            "compiled": "xla",
            "programs": self.compilations(),
            "tf32_matmul": False,
            "tf32_convolution": False,
            "threads_intra": "all cores",
            "optimizer_equations": "keras",
            "optimizer_epsilon": self._workload.optimizer.epsilon,
            "metrics_in_step": "loss, accuracy",
        }


class FlaxBackend:
    name = "flax-nnx"

    def __init__(self) -> None:
        self._queue = machine.Queue()

    def versions(self) -> dict[str, str]:
        return {one.__name__: one.__version__ for one in (flax, jax, optax, np)}

    def devices(self) -> tuple[str, ...]:
        return ("cpu",)

    def architectures(self) -> tuple[str, ...] | None:
        return None

    def unsupported(self, workload: Workload, execution: Execution) -> str | None:
        asked = execution.mode, execution.optimizer, execution.threads
        if asked != ("default", "matched", None):
            return f"only mode default, matched optimizers and all cores, not {asked}"
        if execution.precision not in ("float32", "float64"):
            return f"only float32, and float64 for parity, not {execution.precision}"
        return None

    def build(self, workload: Workload, execution: Execution) -> FlaxProgram:
        jax.config.update("jax_enable_x64", execution.precision == "float64")
        return FlaxProgram(workload, execution, self._queue)

    def product(self, left: Array, right: Array, execution: Execution) -> Callable[[], object]:
        return machine.product(self._queue, left, right, execution.precision)

    def accumulate(self, count: int, execution: Execution) -> Callable[[], object]:
        return machine.accumulate(self._queue, count, execution.precision)


def open_backend(name: str) -> FlaxBackend:
    return FlaxBackend()
