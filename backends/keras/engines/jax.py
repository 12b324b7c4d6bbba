"""Keras on JAX: a jitted step of pure functions over the values of the model's variables."""

from collections.abc import Callable
from typing import Any

import jax
import keras

from backends.jax import machine
from backends.keras.engines import Engine
from bench.spec import Execution


class JaxStep:
    """The train step that Keras' `fit` jits. It holds the variables' values until `settle`."""

    def __init__(
        self, model: keras.Sequential, step: Callable[[Any, Any], Any], device: Any
    ) -> None:
        self._model = model
        self._device = device
        self._built = False
        # a step donates the memory of its state
        self.compiled = jax.jit(step, donate_argnums=0)
        self.state: tuple[list[Any], ...] | None = None

    def _variables(self) -> tuple[list[keras.Variable], ...]:
        model = self._model
        return (
            model.trainable_variables,
            model.non_trainable_variables,
            model.optimizer.variables,
            model.metrics_variables,
        )

    def __call__(self, batch: Any) -> None:
        if self.state is None:
            self._build(batch)
            values = tuple([variable.value for variable in group] for group in self._variables())
            # a step returns arrays that are committed to the device; for others it would compile
            # a second program
            self.state = jax.device_put(values, self._device)
        _, self.state = self.compiled(self.state, batch)

    def _build(self, batch: Any) -> None:
        if not self._built:
            # if the first step created the metrics, the second step would be compiled again
            self._model._symbolic_build(data_batch=batch)
            self._built = True

    def settle(self) -> None:
        """Assign the values to the model's variables; the next step reads them from there."""
        if self.state is None:
            return
        for variables, values in zip(self._variables(), self.state, strict=True):
            for variable, value in zip(variables, values, strict=True):
                variable.assign(value)
        self.state = None


class JaxEngine(Engine):
    """Keras on JAX."""

    float64_remedies = "jax_enable_x64"
    sets_threads = False
    steps_per_execution = 32

    def __init__(self) -> None:
        self._device: Any = jax.devices("cpu")[0]
        self._step: JaxStep | None = None
        self._model: keras.Sequential | None = None
        self._queue = machine.Queue()

    def versions(self) -> dict[str, str]:
        return {**machine.versions(), **machine.cuda_version()}

    def devices(self) -> tuple[str, ...]:
        return machine.devices()

    def architectures(self) -> tuple[str, ...] | None:
        """Return None: XLA compiles for the GPU that it finds."""
        return None

    def select(self, execution: Execution) -> None:
        machine.select(execution)
        self._device = machine.find_device(execution.device)

    def enable_float64(self) -> None:
        jax.config.update("jax_enable_x64", True)

    def put(self, value: Any) -> Any:
        return jax.device_put(value, self._device)

    def step(self, model: keras.Sequential) -> Callable[[Any], Any]:
        self._model, self._step = model, JaxStep(model, model.train_step, self._device)
        return self._step

    def steps(self, model: keras.Sequential, batch_size: int) -> Callable[[Any], Any]:
        def train_next(state: Any, batch: Any) -> tuple[Any, None]:
            _, state = model.train_step(state, batch)
            return state, None

        def train_many(state: Any, batch: Any) -> tuple[None, Any]:
            count = max(1, len(batch[0]) // batch_size)
            batches = jax.tree.map(lambda array: array.reshape(count, -1, *array.shape[1:]), batch)
            state, _ = jax.lax.scan(train_next, state, batches)
            return None, state

        self._model, self._step = model, JaxStep(model, train_many, self._device)
        return self._step

    def settle(self, step: Callable[[Any], Any]) -> None:
        assert isinstance(step, JaxStep)
        step.settle()

    def gradients(self, model: keras.Sequential, images: Any, labels: Any) -> tuple[Any, list[Any]]:
        others = [variable.value for variable in model.non_trainable_variables]

        def loss(trainable: list[Any]) -> tuple[Any, list[Any]]:
            logits, updates = model.stateless_call(trainable, others, images, training=True)
            return model.compute_loss(x=images, y=labels, y_pred=logits), updates

        trainable = [variable.value for variable in model.trainable_variables]
        (value, updates), gradients = jax.value_and_grad(loss, has_aux=True)(trainable)
        for variable, update in zip(model.non_trainable_variables, updates, strict=True):
            variable.assign(update)
        return value, gradients

    def synchronize(self) -> None:
        self._queue.wait()
        if self._step is not None and self._step.state is not None:
            jax.block_until_ready(self._step.state)
        elif self._model is not None:
            jax.block_until_ready([variable.value for variable in self._model.variables])

    def compilations(self, step: Callable[[Any], Any]) -> int:
        assert isinstance(step, JaxStep)
        return int(step.compiled._cache_size())

    def peak_device_bytes(self) -> int | None:
        return machine.peak_bytes(self._device)

    def settings(self, model: keras.Sequential) -> dict[str, str | int | float | bool | None]:
        (device,) = model.trainable_variables[0].value.devices()
        return {
            "device": machine.device_name(device),
            "compiled": "xla" if model.jit_compile else False,
            "tf32_matmul": machine.allows_tf32(device),
            "tf32_convolution": machine.allows_tf32(device),
            "threads_intra": "all cores",
        }

    def product(self, left: Any, right: Any) -> Callable[[], object]:
        return machine.product(self._queue, left, right)

    def accumulate(self, ones: Any) -> Callable[[], object]:
        return machine.accumulate(self._queue, ones)


def open_engine() -> Engine:
    return JaxEngine()
