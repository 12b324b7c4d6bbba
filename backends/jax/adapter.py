"""JAX behind the protocols of `bench.adapter`: a jitted step of pure functions, without Keras.

Read it beside `backends/pytorch/adapter.py` to compare the two frameworks.
"""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from backends.jax import data, machine, models, optimizers
from bench.adapter import Array, Backend, Batch, Parameters, train_stretches
from bench.spec import CLASSES, Execution, LayerSummary, Optimizer, Workload

# mode to the reason why this backend does not have it
MISSING_MODES = {
    "compiled": "JAX's step is compiled in its default mode",
    "graph": "CUDA graphs are captured in plain PyTorch alone",
}

# computes logits `(batch, 10)` from parameters, images and, in training mode, a random key
Logits: TypeAlias = Callable[..., jax.Array]


class State(NamedTuple):
    """All that a step changes; `seen`, `loss_sum` and `hits` are the running metrics."""

    parameters: models.Arrays
    moments: optimizers.Moments
    step: jax.Array
    key: jax.Array
    seen: jax.Array
    loss_sum: jax.Array
    hits: jax.Array


def train(
    optimizer: Optimizer, logits: Logits, state: State, images: jax.Array, labels: jax.Array
) -> State:
    """Return the state after a train step on one batch."""
    key, step_key = jax.random.split(state.key)

    def mean_loss(parameters: models.Arrays) -> tuple[jax.Array, jax.Array]:
        outputs = logits(parameters, images, step_key)
        return models.losses(outputs, labels).mean(), outputs

    (loss, outputs), gradients = jax.value_and_grad(mean_loss, has_aux=True)(state.parameters)
    step = state.step + 1
    parameters, moments = optimizers.update(
        optimizer, state.parameters, state.moments, gradients, step
    )
    # Keras' step updates running metrics, so this one does too
    return State(
        parameters=parameters,
        moments=moments,
        step=step,
        key=key,
        seen=state.seen + len(images),
        loss_sum=state.loss_sum + loss * len(images),
        hits=state.hits + models.hits(outputs, labels),
    )


def train_many(
    step: Callable[..., State],
    batch_size: int,
    state: State,
    images: jax.Array,
    labels: jax.Array,
) -> State:
    """Return the state after one train step per whole batch, in order, in one program."""
    count = max(1, len(images) // batch_size)
    batches = [array.reshape(count, -1, *array.shape[1:]) for array in (images, labels)]

    def train_next(state: State, batch: Any) -> tuple[State, None]:
        return step(state, *batch), None

    result: tuple[State, None] = jax.lax.scan(train_next, state, batches)
    return result[0]


def differentiate(
    logits: Logits, parameters: models.Arrays, key: jax.Array, images: Any, labels: Any
) -> tuple[jax.Array, models.Arrays]:
    """Compute the mean loss in training mode, and its gradients."""

    def mean_loss(parameters: models.Arrays) -> jax.Array:
        return models.losses(logits(parameters, images, key), labels).mean()

    result: tuple[jax.Array, models.Arrays] = jax.value_and_grad(mean_loss)(parameters)
    return result


def evaluate(
    logits: Logits, parameters: models.Arrays, images: Any, labels: Any
) -> tuple[jax.Array, jax.Array]:
    """Compute the sum of the losses in evaluation mode, and the number of hits."""
    outputs = logits(parameters, images)
    return models.losses(outputs, labels).sum(), models.hits(outputs, labels)


class JaxProgram:
    """A workload as a jitted step and the state that it replaces."""

    def __init__(self, workload: Workload, execution: Execution, queue: machine.Queue) -> None:
        self._workload = workload
        self._dtype = machine.DTYPES[execution.precision]
        self._device = machine.find_device(execution.device)
        self._queue = queue
        self._execution = execution
        logits: Logits = partial(models.logits, workload)
        if execution.precision == "bfloat16":
            logits = partial(models.logits_in_bfloat16, workload)
        step = partial(train, workload.optimizer, logits)
        if execution.many_steps:
            step = partial(train_many, step, execution.batch_size)
        self._step = jax.jit(step, donate_argnums=0)
        self._logits = jax.jit(logits)
        self._differentiate = jax.jit(partial(differentiate, logits))
        self._evaluate = jax.jit(partial(evaluate, logits))
        self._start(models.zeros(workload, self._dtype), seed=0)

    def _start(self, parameters: models.Arrays, seed: int) -> None:
        state = State(
            parameters=parameters,
            moments=optimizers.start(self._workload.optimizer, parameters),
            step=jnp.zeros((), jnp.int32),
            key=jax.random.key(seed),
            seen=jnp.zeros((), jnp.int32),
            loss_sum=jnp.zeros((), self._dtype),
            hits=jnp.zeros((), jnp.int32),
        )
        self._state = jax.device_put(state, self._device)

    def layers(self) -> Sequence[LayerSummary]:
        return tuple(models.summary(self._workload, self._state.parameters))

    def load(self, parameters: Parameters, seed: int) -> None:
        # a copy, because a step donates the memory of its state
        self._start({name: jnp.array(value) for name, value in parameters.items()}, seed)

    def parameters(self) -> dict[str, Array]:
        return self._canonical(self._state.parameters)

    def _canonical(self, arrays: models.Arrays) -> dict[str, Array]:
        # JAX sorts the keys of a dict that goes through a jitted function
        return {name: np.array(arrays[name]) for name in self._workload.parameter_shapes()}

    def put(self, batch: Batch) -> Any:
        images, labels = batch
        placed = self._to_device(images, self._targets(labels))
        jax.block_until_ready(placed)
        return placed

    def _targets(self, labels: Array) -> Array:
        if self._workload.labels == "integer":
            return labels.astype(np.int32)
        return np.eye(CLASSES, dtype=self._dtype)[labels]

    def _to_device(self, images: Array, targets: Array) -> tuple[jax.Array, jax.Array]:
        placed: tuple[jax.Array, jax.Array] = jax.device_put(
            (images.astype(self._dtype, copy=False), targets), self._device
        )
        return placed

    def forward(self, batch: Any) -> Array:
        images, _ = batch
        return np.asarray(self._logits(self._state.parameters, images))

    def gradients(self, batch: Any) -> tuple[float, dict[str, Array]]:
        key, step_key = jax.random.split(self._state.key)
        self._state = self._state._replace(key=key)
        loss, gradients = self._differentiate(self._state.parameters, step_key, *batch)
        return float(loss), self._canonical(gradients)

    def train_step(self, batch: Any) -> None:
        self._state = self._step(self._state, *batch)

    def take_metrics(self) -> tuple[float, float]:
        seen = int(self._state.seen)
        means = float(self._state.loss_sum) / seen, int(self._state.hits) / seen
        self._reset_metrics()
        return means

    def _reset_metrics(self) -> None:
        metrics = ("seen", "loss_sum", "hits")
        zeros = {name: jnp.zeros_like(getattr(self._state, name)) for name in metrics}
        self._state = self._state._replace(**jax.device_put(zeros, self._device))

    def fit(self, images: Array, labels: Array, batch_size: int) -> tuple[float, float]:
        self._reset_metrics()
        if self._execution.many_steps:
            train_stretches(self, images, labels, batch_size)
            return self.take_metrics()
        for batch in data.batches(images, self._targets(labels), batch_size=batch_size):
            self.train_step(self._to_device(*batch))
        return self.take_metrics()

    def tutorial(self, folder: Path, images: Array, labels: Array, batch_size: int) -> None:
        for batch in data.tutorial_batches(images, self._targets(labels), batch_size):
            self.train_step(self._to_device(*batch))

    def evaluate(self, images: Array, labels: Array, batch_size: int) -> tuple[float, float]:
        sums = [
            self._evaluate(self._state.parameters, *self._to_device(*batch))
            for batch in data.batches(images, self._targets(labels), batch_size=batch_size)
        ]
        losses, hits = zip(*sums, strict=True)
        return sum(map(float, losses)) / len(labels), sum(map(int, hits)) / len(labels)

    def predict(self, images: Array, batch_size: int) -> NDArray[np.float32]:
        outputs = [
            self._logits(self._state.parameters, batch.astype(self._dtype, copy=False))
            for (batch,) in data.batches(images, batch_size=batch_size)
        ]
        return np.concatenate([np.asarray(logits) for logits in outputs])

    def synchronize(self) -> None:
        jax.block_until_ready(self._state)
        self._queue.wait()

    def compilations(self) -> int:
        return int(self._step._cache_size())

    def peak_device_bytes(self) -> int | None:
        return machine.peak_bytes(self._device)

    def _precision_in_force(self, dtype: Any, device: Any) -> str:
        if self._execution.precision == "bfloat16":
            return "bfloat16"
        return "tf32" if machine.allows_tf32(device) and str(dtype) == "float32" else str(dtype)

    def settings(self) -> dict[str, str | int | float | bool | None]:
        parameter = next(iter(self._state.parameters.values()))
        (device,) = parameter.devices()
        return {
            "device": machine.device_name(device),
            "dtype": str(parameter.dtype),
            "precision": self._precision_in_force(parameter.dtype, device),
            "compiled": "xla",
            "programs": self.compilations(),
            "tf32_matmul": machine.allows_tf32(device),
            "tf32_convolution": machine.allows_tf32(device),
            "threads_intra": "all cores",
            "layout": "channels_last",
            "optimizer": f"{self._workload.optimizer.name} in Keras' equations",
            "optimizer_equations": "keras",
            "optimizer_epsilon": self._workload.optimizer.epsilon,
            "input_pipeline": "slices of NumPy arrays",
            "metrics_in_step": "loss, accuracy",
        }


class JaxBackend:
    """JAX on the devices that it finds."""

    name = "jax"

    def __init__(self) -> None:
        self._queue = machine.Queue()

    def versions(self) -> dict[str, str]:
        return {**machine.versions(), "numpy": np.__version__, **machine.cuda_version()}

    def devices(self) -> tuple[str, ...]:
        return machine.devices()

    def architectures(self) -> tuple[str, ...] | None:
        """Return None: XLA compiles for the GPU that it finds."""

    def unsupported(self, workload: Workload, execution: Execution) -> str | None:
        if execution.mode in MISSING_MODES:
            return MISSING_MODES[execution.mode]
        if execution.optimizer != "matched":
            return "JAX itself has no optimizers; the matched ones are this backend's own"
        if execution.precision == "tf32" and execution.device == "cpu":
            return "TF32 is a format of NVIDIA's GPUs"
        if execution.threads is not None:
            return "XLA takes all cores of a CPU and has no setting for fewer"
        return None

    def build(self, workload: Workload, execution: Execution) -> JaxProgram:
        select(execution)
        return JaxProgram(workload, execution, self._queue)

    def product(self, left: Array, right: Array, execution: Execution) -> Callable[[], object]:
        select(execution)
        first, second = (
            jnp.array(matrix, machine.product_dtype(execution)) for matrix in (left, right)
        )
        return machine.product(self._queue, first, second)

    def accumulate(self, count: int, execution: Execution) -> Callable[[], object]:
        select(execution)
        return machine.accumulate(self._queue, jnp.ones(count, machine.product_dtype(execution)))


def select(execution: Execution) -> None:
    """Set the execution's device and precision for this process."""
    jax.config.update("jax_enable_x64", execution.precision == "float64")
    machine.select(execution)


def open_backend(name: str) -> Backend:
    return JaxBackend()
