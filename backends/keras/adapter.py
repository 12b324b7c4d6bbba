"""Keras behind the protocols of `bench.adapter`: a compiled model, its own step and its own `fit`.

Beside `backends/pytorch/adapter.py` this is a comparison of the two frameworks.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from backends.keras import data, machine, models
from backends.keras.engines import Engine, open_engine
from bench.adapter import Array, Backend, Batch, Parameters, stretches
from bench.spec import CLASSES, Execution, LayerSummary, Workload


class KerasProgram:
    def __init__(self, workload: Workload, engine: Engine, execution: Execution) -> None:
        self._workload = workload
        self._engine = engine
        self._execution = execution
        # parity alone computes in float64; what is timed is Keras as it comes
        self._exact = execution.precision == "float64"
        if self._exact:
            engine.widen()
        self._built = models.network(
            workload, exact=self._exact and engine.rounds_floats, **compiling(execution, engine)
        )
        self._step = (
            engine.steps(self._built, execution.batch_size)
            if execution.many_steps
            else engine.step(self._built)
        )

    @property
    def _model(self) -> keras.Sequential:
        """The model, its variables as the last train step left them."""
        self._engine.settle(self._step)
        return self._built

    def _named(self) -> dict[str, keras.Variable]:
        return {models.canonical_name(v): v for v in self._model.trainable_variables}

    def layers(self) -> Sequence[LayerSummary]:
        return tuple(models.summary(self._model, self._workload))

    def load(self, parameters: Parameters, seed: int) -> None:
        keras.utils.set_random_seed(seed)
        model = self._model
        for name, variable in self._named().items():
            variable.assign(parameters[name])
        optimizer = model.optimizer
        for variable in optimizer.variables:
            if variable is not optimizer._learning_rate:
                variable.assign(np.zeros(variable.shape, variable.dtype))
        model.reset_metrics()
        for layer in model.layers:
            if generator := getattr(layer, "seed_generator", None):
                generator.state.assign(np.array([seed, 0], generator.state.dtype))

    def parameters(self) -> dict[str, Array]:
        return {
            name: np.array(keras.ops.convert_to_numpy(variable))
            for name, variable in self._named().items()
        }

    def put(self, batch: Batch) -> Any:
        images, labels = batch
        put = self._engine.put
        placed = put(images.astype(keras.config.floatx(), copy=False)), put(self._targets(labels))
        self._engine.synchronize()
        return placed

    def _targets(self, labels: Array) -> Array:
        if self._workload.labels == "integer":
            return labels
        return np.asarray(keras.utils.to_categorical(labels, CLASSES), keras.config.floatx())

    def forward(self, batch: Any) -> Array:
        images, _ = batch
        logits = keras.ops.cast(self._model(images, training=False), keras.config.floatx())
        return np.asarray(keras.ops.convert_to_numpy(logits))

    def gradients(self, batch: Any) -> tuple[float, dict[str, Array]]:
        loss, gradients = self._engine.gradients(self._model, *batch)
        named = zip(self._named(), gradients, strict=True)
        return float(loss), {
            name: np.asarray(keras.ops.convert_to_numpy(gradient)) for name, gradient in named
        }

    def train_step(self, batch: Any) -> None:
        self._step(batch)

    def take_metrics(self) -> tuple[float, float]:
        means = self._model.get_metrics_result()
        loss, accuracy = float(means["loss"]), float(means["accuracy"])
        self._model.reset_metrics()
        return loss, accuracy

    def fit(self, images: Array, labels: Array, batch_size: int) -> tuple[float, float]:
        if self._execution.many_steps:
            return self._fit_at_once(images, labels, batch_size)
        history = self._model.fit(
            images,
            self._targets(labels),
            batch_size=batch_size,
            epochs=1,
            shuffle=False,
            verbose=0,
        )
        return float(history.history["loss"][0]), float(history.history["accuracy"][0])

    def _fit_at_once(self, images: Array, labels: Array, batch_size: int) -> tuple[float, float]:
        self._model.reset_metrics()
        for chosen in stretches(len(labels), batch_size):
            self.train_step(self.put((images[chosen], labels[chosen])))
        return self.take_metrics()

    def tutorial(self, folder: Path, images: Array, labels: Array, batch_size: int) -> None:
        data.tutorial_epoch(self._model, images, self._targets(labels), batch_size)

    def evaluate(self, images: Array, labels: Array, batch_size: int) -> tuple[float, float]:
        targets = self._targets(labels)
        result = self._model.evaluate(
            images, targets, batch_size=batch_size, verbose=0, return_dict=True
        )
        return float(result["loss"]), float(result["accuracy"])

    def predict(self, images: Array, batch_size: int) -> NDArray[np.float32]:
        logits = self._model.predict(images, batch_size=batch_size, verbose=0)
        return np.asarray(logits).astype(keras.config.floatx(), copy=False)

    def synchronize(self) -> None:
        self._engine.synchronize()

    def compilations(self) -> int:
        return self._engine.compilations(self._step)

    def peak_device_bytes(self) -> int | None:
        return self._engine.peak_device_bytes()

    def _precision_in_force(self) -> str:
        """The type that the layers compute in, or TF32 where their float32 is rounded to it."""
        computed = {str(layer.compute_dtype) for layer in self._model.layers}
        found = "/".join(sorted(computed))
        rounded = (
            self._engine.settings(self._model)["tf32_matmul"] and self._execution.device != "cpu"
        )
        return "tf32" if found == "float32" and rounded else found

    def settings(self) -> dict[str, str | int | float | bool | None]:
        optimizer = self._model.optimizer
        return {
            **self._engine.settings(self._model),
            **({"remedies": self._engine.float64_remedies} if self._exact else {}),
            "dtype": self._model.trainable_variables[0].dtype,
            "precision": self._precision_in_force(),
            "programs": self.compilations(),
            "layout": keras.config.image_data_format(),
            "optimizer": type(optimizer).__name__,
            "optimizer_equations": "keras",
            "optimizer_epsilon": optimizer.epsilon,
            "input_pipeline": "fit over arrays",
            "metrics_in_step": "loss, accuracy",
        }


class KerasBackend:
    def __init__(self, name: str) -> None:
        self.name = name
        self._engine = open_engine(keras.backend.backend())

    def versions(self) -> dict[str, str]:
        return {"keras": keras.__version__, "numpy": np.__version__, **self._engine.versions()}

    def devices(self) -> tuple[str, ...]:
        return self._engine.devices()

    def architectures(self) -> tuple[str, ...] | None:
        return self._engine.architectures()

    def unsupported(self, workload: Workload, execution: Execution) -> str | None:
        if execution.mode in self._engine.lacks:
            return self._engine.lacks[execution.mode]
        if execution.optimizer != "matched":
            return f"{self.name} has Keras' own optimizers, which are the matched ones"
        if execution.precision == "tf32" and execution.device == "cpu":
            return "TF32 is a format of NVIDIA's GPUs"
        if execution.threads is not None and not self._engine.sets_threads:
            return f"{self.name} takes all cores of a CPU and has no setting for fewer"
        return None

    def build(self, workload: Workload, execution: Execution) -> KerasProgram:
        # first, since it forgets device and precision
        keras.utils.clear_session()
        machine.select(self._engine, execution)
        return KerasProgram(workload, self._engine, execution)

    def product(self, left: Array, right: Array, execution: Execution) -> Callable[[], object]:
        machine.select(self._engine, execution)
        first, second = (
            machine.put_factor(self._engine, matrix, execution) for matrix in (left, right)
        )
        return self._engine.product(first, second)

    def accumulate(self, count: int, execution: Execution) -> Callable[[], object]:
        machine.select(self._engine, execution)
        return self._engine.accumulate(self._engine.put(np.ones(count, keras.config.floatx())))


def compiling(execution: Execution, engine: Engine) -> dict[str, Any]:
    """What `Model.compile` is told of the mode."""
    if execution.mode == "default":
        return {}
    steps = engine.steps_per_execution if execution.mode == "compiled" else 1
    return {"jit_compile": True, "steps_per_execution": steps}


def open_backend(name: str) -> Backend:
    return KerasBackend(name)
