"""Keras behind the protocols of `bench.adapter`: a compiled model, its own step and its own `fit`.

Read it beside `backends/pytorch/adapter.py` to compare the two frameworks.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from backends.keras import data, machine, models
from backends.keras.engines import Engine, open_engine
from bench.adapter import Array, Backend, Batch, Parameters, train_stretches
from bench.spec import CLASSES, Execution, LayerSummary, Workload


class KerasProgram:
    """A workload as a compiled model, and its train step on the engine."""

    def __init__(self, workload: Workload, engine: Engine, execution: Execution) -> None:
        self._workload = workload
        self._engine = engine
        self._execution = execution
        # only parity computes in float64; timed programs keep Keras' defaults
        self._exact = execution.precision == "float64"
        if self._exact:
            engine.enable_float64()
        options = compile_options(execution, engine)
        self._raw_model = models.network(
            workload, exact=self._exact and engine.rounds_floats, **options
        )
        self._step = (
            engine.steps(self._raw_model, execution.batch_size)
            if execution.many_steps
            else engine.step(self._raw_model)
        )

    @property
    def _model(self) -> keras.Sequential:
        """Return the model; its variables have the values after the last train step."""
        self._engine.settle(self._step)
        return self._raw_model

    def _canonical_variables(self) -> dict[str, keras.Variable]:
        return {models.canonical_name(v): v for v in self._model.trainable_variables}

    def layers(self) -> Sequence[LayerSummary]:
        return tuple(models.summary(self._model, self._workload))

    def load(self, parameters: Parameters, seed: int) -> None:
        keras.utils.set_random_seed(seed)
        model = self._model
        for name, variable in self._canonical_variables().items():
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
            for name, variable in self._canonical_variables().items()
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
        names = self._canonical_variables()
        return float(loss), {
            name: np.asarray(keras.ops.convert_to_numpy(gradient))
            for name, gradient in zip(names, gradients, strict=True)
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
            self._model.reset_metrics()
            train_stretches(self, images, labels, batch_size)
            return self.take_metrics()
        history = self._model.fit(
            images,
            self._targets(labels),
            batch_size=batch_size,
            epochs=1,
            shuffle=False,
            verbose=0,
        )
        return float(history.history["loss"][0]), float(history.history["accuracy"][0])

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
        """Return the dtype in which the layers compute, or `tf32` if float32 is rounded to it."""
        dtypes = "/".join(sorted({str(layer.compute_dtype) for layer in self._model.layers}))
        allows_tf32 = self._engine.settings(self._model)["tf32_matmul"]
        rounds = allows_tf32 and self._execution.device != "cpu"
        return "tf32" if dtypes == "float32" and rounds else dtypes

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
    """Keras on the engine that `KERAS_BACKEND` names."""

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
        if execution.mode in self._engine.missing_modes:
            return self._engine.missing_modes[execution.mode]
        if execution.optimizer != "matched":
            return f"{self.name} has Keras' own optimizers, which are the matched ones"
        if execution.precision == "tf32" and execution.device == "cpu":
            return "TF32 is a format of NVIDIA's GPUs"
        if execution.threads is not None and not self._engine.sets_threads:
            return f"{self.name} takes all cores of a CPU and has no setting for fewer"
        return None

    def build(self, workload: Workload, execution: Execution) -> KerasProgram:
        # before `select`, because it resets device and precision
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


def compile_options(execution: Execution, engine: Engine) -> dict[str, Any]:
    """Return the options of `Model.compile` for the mode; none keeps Keras' defaults."""
    if execution.mode == "default":
        return {}
    steps = engine.steps_per_execution if execution.mode == "compiled" else 1
    return {"jit_compile": True, "steps_per_execution": steps}


def open_backend(name: str) -> Backend:
    return KerasBackend(name)
