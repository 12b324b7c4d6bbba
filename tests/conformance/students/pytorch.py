"""A PyTorch script; its model has PyTorch's layouts, as our own adapter's has."""

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
        self._named = dict(zip(names, self.model.parameters(), strict=True))
        self._images_behind = models.flattened_shapes(workload)

    def layers(self) -> list[tuple[Shape, int]]:
        """Shapes from a forward pass of one black image; an activation is no layer."""
        found = []
        values = self._images(np.zeros((1, *IMAGE_SHAPE[:2]), np.uint8))
        for child in self.model:
            values = child(values)
            if not isinstance(child, nn.ReLU):
                shape = models.channels_last(tuple(values.shape[1:]))
                found.append((shape, sum(one.numel() for one in child.parameters())))
        return found

    def dropouts(self) -> list[float]:
        return [layer.p for layer in self._dropouts()]

    def _dropouts(self) -> list[nn.Dropout]:
        return [one for one in self.model if isinstance(one, nn.Dropout)]

    def without_dropout(self) -> None:
        for layer in self._dropouts():
            layer.p = 0.0

    def load(self, parameters: Parameters) -> None:
        with torch.no_grad():
            for name, own in self._named.items():
                own.copy_(models.from_canonical(parameters[name], self._images_behind.get(name)))

    def parameters(self) -> dict[str, Array]:
        return {name: self._canonical(name, own) for name, own in self._named.items()}

    def _canonical(self, name: str, tensor: torch.Tensor) -> Array:
        return models.to_canonical(tensor, self._images_behind.get(name))

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
        return {name: self._canonical(name, own.grad) for name, own in self._named.items()}

    def train(self, pixels: Array, labels: Array) -> float:
        """One epoch in the order given; its loss."""
        batch = self._images(pixels), torch.from_numpy(labels)
        (loss,) = self.script.train(self.model, *batch, epochs=1, shuffle=False)
        return loss

    def evaluate(self, pixels: Array, labels: Array) -> tuple[float, float]:
        batch = self._images(pixels), torch.from_numpy(labels)
        return self.script.evaluate(self.model, *batch)
