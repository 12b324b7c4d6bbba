"""A PyTorch script. Its model has PyTorch's layouts, like that of our adapter."""

from types import ModuleType

import numpy as np
import torch
from torch import nn

from backends.pytorch import models
from bench.adapter import Array, Parameters
from bench.spec import IMAGE_SHAPE, Shape, Workload


class Student:
    def __init__(self, script: ModuleType, workload: Workload) -> None:
        self.script = script
        self.model = script.build()
        names = workload.parameter_shapes()
        self._tensors = dict(zip(names, self.model.parameters(), strict=True))
        self._flattened_shapes = models.flattened_shapes(workload)

    def layers(self) -> list[tuple[Shape, int]]:
        """Return shapes of a forward pass of a black image; an activation is no layer."""
        layers = []
        values = self._images(np.zeros((1, *IMAGE_SHAPE[:2]), np.uint8))
        for child in self.model:
            values = child(values)
            if not isinstance(child, nn.ReLU):
                shape = models.channels_last(tuple(values.shape[1:]))
                count = sum(tensor.numel() for tensor in child.parameters())
                layers.append((shape, count))
        return layers

    def dropouts(self) -> list[float]:
        return [layer.p for layer in self._dropouts()]

    def _dropouts(self) -> list[nn.Dropout]:
        return [layer for layer in self.model if isinstance(layer, nn.Dropout)]

    def remove_dropout(self) -> None:
        for layer in self._dropouts():
            layer.p = 0.0

    def load(self, parameters: Parameters) -> None:
        with torch.no_grad():
            for name, tensor in self._tensors.items():
                tensor.copy_(
                    models.from_canonical(parameters[name], self._flattened_shapes.get(name))
                )

    def parameters(self) -> dict[str, Array]:
        return {name: self._canonical(name, tensor) for name, tensor in self._tensors.items()}

    def _canonical(self, name: str, tensor: torch.Tensor) -> Array:
        return models.to_canonical(tensor, self._flattened_shapes.get(name))

    def _images(self, pixels: Array) -> torch.Tensor:
        return self.script.prepare(torch.from_numpy(pixels))

    def forward(self, pixels: Array) -> Array:
        self.model.eval()
        with torch.no_grad():
            return self.model(self._images(pixels)).numpy()

    def gradients(self, pixels: Array, labels: Array) -> dict[str, Array]:
        self.model.train()
        logits = self.model(self._images(pixels))
        nn.functional.cross_entropy(logits, torch.from_numpy(labels)).backward()
        return {name: self._canonical(name, tensor.grad) for name, tensor in self._tensors.items()}

    def train(self, pixels: Array, labels: Array) -> float:
        """Train one epoch in the given order; return its loss."""
        batch = self._images(pixels), torch.from_numpy(labels)
        (loss,) = self.script.train(self.model, *batch, epochs=1, shuffle=False)
        return loss

    def evaluate(self, pixels: Array, labels: Array) -> tuple[float, float]:
        batch = self._images(pixels), torch.from_numpy(labels)
        return self.script.evaluate(self.model, *batch)
