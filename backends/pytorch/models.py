"""A workload as a `torch.nn.Sequential`, and its parameters in the canonical form and back."""

import math
from collections import OrderedDict
from collections.abc import Iterator

import numpy as np
import torch
from torch import nn

from bench.adapter import Array
from bench.spec import Conv2D, Dense, Dropout, Flatten, Layer, LayerSummary, Shape, Workload

ACTIVATIONS = {"relu": nn.ReLU, "tanh": nn.Tanh}


def network(workload: Workload) -> nn.Sequential:
    """The model, its children named canonically; an activation is a child of its own."""
    children: OrderedDict[str, nn.Module] = OrderedDict()
    for name, layer, shape in workload.named_layers():
        children[name] = module(layer, shape)
        activation = getattr(layer, "activation", "linear")
        if activation != "linear":
            children[f"{name}_{activation}"] = ACTIVATIONS[activation]()
    return nn.Sequential(children)


def module(layer: Layer, shape: Shape) -> nn.Module:
    if isinstance(layer, Dense):
        return nn.Linear(shape[0], layer.units)
    if isinstance(layer, Conv2D):
        return nn.Conv2d(shape[2], layer.filters, layer.kernel_size, padding=layer.padding)
    if isinstance(layer, Dropout):
        return nn.Dropout(layer.rate)
    if isinstance(layer, Flatten):
        return nn.Flatten()
    return nn.MaxPool2d(layer.size)


def summary(model: nn.Sequential, workload: Workload) -> Iterator[LayerSummary]:
    """The layer table, shapes from a forward pass of one black image, counts from the tensors."""
    model.eval()
    reference = next(model.parameters())
    values = torch.zeros((1, *channels_first(workload.input_shape))).to(reference)
    canonical = {name: layer.kind for name, layer, _ in workload.named_layers()}
    with torch.no_grad():
        for name, child in model.named_children():
            values = child(values)
            if name in canonical:
                yield LayerSummary(
                    name=name,
                    kind=canonical[name],
                    output_shape=channels_last(tuple(values.shape[1:])),
                    count=sum(parameter.numel() for parameter in child.parameters()),
                )
    model.train()


def channels_first(shape: Shape) -> Shape:
    return shape if len(shape) == 1 else (shape[2], shape[0], shape[1])


def channels_last(shape: Shape) -> Shape:
    return shape if len(shape) == 1 else (shape[1], shape[2], shape[0])


def flattened_shapes(workload: Workload) -> dict[str, Shape]:
    """The image shape (NHWC, without N) behind each dense kernel that follows a Flatten."""
    shapes: dict[str, Shape] = {}
    image: Shape | None = None
    for name, layer, shape in workload.named_layers():
        if isinstance(layer, Flatten):
            image = shape
        elif isinstance(layer, Dense):
            if image is not None:
                shapes[f"{name}/kernel"] = image
            image = None
    return shapes


def to_canonical(tensor: torch.Tensor, image: Shape | None) -> Array:
    """A torch weight, bias or gradient in the canonical layout; `image` as above.

    Linear `(out, in)` becomes `(in, out)`, its rows from the order of CHW to that of HWC;
    Conv2d `(out, in, height, width)` becomes `(height, width, in, out)`.
    """
    values = tensor.detach().cpu().numpy()
    if values.ndim == 4:
        values = values.transpose(2, 3, 1, 0)
    elif values.ndim == 2:
        values = values.T
        if image is not None and len(image) == 3:
            rows = values.reshape(*channels_first(image), -1).transpose(1, 2, 0, 3)
            values = rows.reshape(math.prod(image), -1)
    return np.array(values, order="C")


def from_canonical(values: Array, image: Shape | None) -> torch.Tensor:
    """The inverse of `to_canonical`."""
    if values.ndim == 4:
        values = values.transpose(3, 2, 0, 1)
    elif values.ndim == 2:
        if image is not None and len(image) == 3:
            rows = values.reshape(*image, -1).transpose(2, 0, 1, 3)
            values = rows.reshape(math.prod(image), -1)
        values = values.T
    return torch.from_numpy(np.array(values, order="C"))
