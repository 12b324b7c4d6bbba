"""Keras on JAX: a jitted step of pure functions over the values of the model's variables."""

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import jaxlib
import keras

from bench.spec import Execution


class JaxStep:
    """The train step that Keras' `fit` jits. It owns the variables' values until `settle`."""

    def __init__(
        self, model: keras.Sequential, step: Callable[[Any, Any], Any], device: Any
    ) -> None:
        self._model = model
        self._device = device
        self._built = False
        # a step is given the memory of its state, and takes it
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
            values = tuple([one.value for one in group] for group in self._variables())
            # what a step returns is bound to its device; another kind would compile it anew
            self.state = jax.device_put(values, self._device)
        _, self.state = self.compiled(self.state, batch)

    def _build(self, batch: Any) -> None:
        if not self._built:
            # metrics that appear in the first step would compile the second one anew
            self._model._symbolic_build(data_batch=batch)
            self._built = True

    def settle(self) -> None:
        if self.state is None:
            return
        for variables, values in zip(self._variables(), self.state, strict=True):
            for variable, value in zip(variables, values, strict=True):
                variable.assign(value)
        self.state = None


class JaxEngine:
    float64_remedies = "jax_enable_x64"
    rounds_floats = False
    sets_threads = False
    lacks: ClassVar[dict[str, str]] = {"graph": "CUDA graphs are captured in plain PyTorch alone"}
    steps_per_execution = 32

    def __init__(self) -> None:
        self._device: Any = jax.devices("cpu")[0]
        self._step: JaxStep | None = None
        self._model: keras.Sequential | None = None
        self._last: object = None

    def versions(self) -> dict[str, str]:
        return {"jax": jax.__version__, "jaxlib": jaxlib.__version__, **cuda_version()}

    def devices(self) -> tuple[str, ...]:
        return ("cpu", *map(name_of, gpus()))

    def architectures(self) -> tuple[str, ...] | None:
        """Unknown: XLA compiles for the GPU that it finds."""

    def select(self, execution: Execution) -> None:
        device = execution.device
        found = [jax.devices("cpu")[0], *gpus()]
        self._device = next(one for one in found if name_of(one) == device)
        jax.config.update("jax_default_device", self._device)
        if device != "cpu":
            # XLA multiplies float32 on a GPU in TF32 unless it is told not to
            products = "tensorfloat32" if execution.precision == "tf32" else "highest"
            jax.config.update("jax_default_matmul_precision", products)

    def widen(self) -> None:
        jax.config.update("jax_enable_x64", True)

    def put(self, value: Any) -> Any:
        return jax.device_put(value, self._device)

    def step(self, model: keras.Sequential) -> Callable[[Any], Any]:
        self._model, self._step = model, JaxStep(model, model.train_step, self._device)
        return self._step

    def steps(self, model: keras.Sequential, batch_size: int) -> Callable[[Any], Any]:
        def one(state: Any, batch: Any) -> tuple[Any, None]:
            _, state = model.train_step(state, batch)
            return state, None

        def all_of(state: Any, batch: Any) -> tuple[None, Any]:
            count = max(1, len(batch[0]) // batch_size)
            batches = jax.tree.map(lambda one: one.reshape(count, -1, *one.shape[1:]), batch)
            state, _ = jax.lax.scan(one, state, batches)
            return None, state

        self._model, self._step = model, JaxStep(model, all_of, self._device)
        return self._step

    def settle(self, step: Callable[[Any], Any]) -> None:
        assert isinstance(step, JaxStep)
        step.settle()

    def gradients(self, model: keras.Sequential, images: Any, labels: Any) -> tuple[Any, list[Any]]:
        others = [variable.value for variable in model.non_trainable_variables]

        def loss(trainable: list[Any]) -> tuple[Any, list[Any]]:
            logits, changed = model.stateless_call(trainable, others, images, training=True)
            return model.compute_loss(x=images, y=labels, y_pred=logits), changed

        trainable = [variable.value for variable in model.trainable_variables]
        (value, changed), gradients = jax.value_and_grad(loss, has_aux=True)(trainable)
        for variable, after in zip(model.non_trainable_variables, changed, strict=True):
            variable.assign(after)
        return value, gradients

    def synchronize(self) -> None:
        jax.block_until_ready(self._last)
        if self._step is not None and self._step.state is not None:
            jax.block_until_ready(self._step.state)
        elif self._model is not None:
            jax.block_until_ready([variable.value for variable in self._model.variables])

    def compilations(self, step: Callable[[Any], Any]) -> int:
        assert isinstance(step, JaxStep)
        return int(step.compiled._cache_size())

    def peak_device_bytes(self) -> int | None:
        statistics = self._device.memory_stats() or {}
        return statistics.get("peak_bytes_in_use")

    def settings(self, model: keras.Sequential) -> dict[str, str | int | float | bool | None]:
        (device,) = model.trainable_variables[0].value.devices()
        return {
            "device": name_of(device),
            "compiled": "xla" if model.jit_compile else False,
            "tf32_matmul": allows_tf32(device),
            "tf32_convolution": allows_tf32(device),
            "threads_intra": "all cores",
        }

    def product(self, left: Any, right: Any) -> Callable[[], object]:
        multiply = jax.jit(jnp.matmul)
        return lambda: self._noted(multiply(left, right))

    def accumulate(self, ones: Any) -> Callable[[], object]:
        total = jnp.zeros_like(ones)
        added = jax.jit(jnp.add, donate_argnums=0)

        def add() -> object:
            nonlocal total
            total = added(total, ones)
            return self._noted(total)

        return add

    def _noted(self, value: Any) -> Any:
        # JAX waits for arrays, not for devices
        self._last = value
        return value


def gpus() -> list[Any]:
    try:
        return list(jax.devices("cuda"))
    except RuntimeError:
        return []


def cuda_version() -> dict[str, str]:
    """The major version of CUDA that the plug-in is made for by which JAX computes on GPUs."""
    plugins = {major: find_spec(f"jax_cuda{major}_plugin") for major in ("13", "12")}
    found = [major for major, plugin in plugins.items() if plugin is not None]
    return {"cuda": found[0]} if found else {}


def name_of(device: Any) -> str:
    return "cpu" if device.platform == "cpu" else f"cuda:{device.id}"


def allows_tf32(device: Any) -> bool:
    return device.platform != "cpu" and jax.config.jax_default_matmul_precision != "highest"


def open_engine() -> JaxEngine:
    return JaxEngine()
