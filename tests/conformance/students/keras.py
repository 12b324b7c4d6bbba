"""A Keras script. Its model has Keras' layouts, which are the canonical layouts."""

from types import ModuleType
from typing import Any

import keras
import numpy as np

from backends.keras.engines import open_engine
from bench.adapter import Array, Parameters
from bench.spec import Shape, Workload


class Student:
    def __init__(self, script: ModuleType, workload: Workload) -> None:
        self.script = script
        self.model = script.build()
        self._names = list(workload.parameter_shapes())
        self._engine = open_engine(keras.backend.backend())

    def layers(self) -> list[tuple[Shape, int]]:
        return [(layer.output.shape[1:], layer.count_params()) for layer in self.model.layers]

    def dropouts(self) -> list[float]:
        return [layer.rate for layer in self._dropouts()]

    def _dropouts(self) -> list[Any]:
        return [layer for layer in self.model.layers if isinstance(layer, keras.layers.Dropout)]

    def remove_dropout(self) -> None:
        for layer in self._dropouts():
            layer.rate = 0.0

    def load(self, parameters: Parameters) -> None:
        self.model.set_weights([parameters[name] for name in self._names])
        optimizer = self.model.optimizer
        # a PyTorch script makes an optimizer per training; in Keras it belongs to the model
        for variable in optimizer.variables:
            if variable is not optimizer._learning_rate:
                variable.assign(np.zeros(variable.shape, variable.dtype))

    def parameters(self) -> dict[str, Array]:
        return dict(zip(self._names, self.model.get_weights(), strict=True))

    def forward(self, pixels: Array) -> Array:
        images = self._engine.put(self.script.prepare(pixels))
        return np.asarray(keras.ops.convert_to_numpy(self.model(images, training=False)))

    def gradients(self, pixels: Array, labels: Array) -> dict[str, Array]:
        batch = map(self._engine.put, (self.script.prepare(pixels), labels))
        _, gradients = self._engine.gradients(self.model, *batch)
        values = (np.asarray(keras.ops.convert_to_numpy(gradient)) for gradient in gradients)
        return dict(zip(self._names, values, strict=True))

    def train(self, pixels: Array, labels: Array) -> float:
        """Train one epoch in the given order; return its loss."""
        images = self.script.prepare(pixels)
        (loss,) = self.script.train(self.model, images, labels, epochs=1, shuffle=False)
        return loss

    def evaluate(self, pixels: Array, labels: Array) -> tuple[float, float]:
        loss, accuracy = self.script.evaluate(self.model, self.script.prepare(pixels), labels)
        return loss, accuracy
