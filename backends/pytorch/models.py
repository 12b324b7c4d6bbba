"""A workload as a `torch.nn.Sequential`, and its parameters to and from the canonical form."""

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
    """Build the model; its children have canonical names, and each activation is a child."""
    children: OrderedDict[str, nn.Module] = OrderedDict()
    for name, layer, shape in workload.named_layers():
        children[name] = module(layer, shape)
        activation = getattr(layer, "activation", "linear")
        if activation != "linear":
            children[f"{name}_{activation}"] = ACTIVATIONS[activation]()
    return nn.Sequential(children)


def module(layer: Layer, shape: Shape) -> nn.Module:
    """Build the module of one layer for inputs of this shape (without the batch, NHWC)."""
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
    """Yield the rows of the layer table.

    Shapes are those of a forward pass of one black image, counts those of the tensors.
    """
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
    """Return CHW for HWC; the shape of a vector stays."""
    return shape if len(shape) == 1 else (shape[2], shape[0], shape[1])


def channels_last(shape: Shape) -> Shape:
    """Return HWC for CHW; the shape of a vector stays."""
    return shape if len(shape) == 1 else (shape[1], shape[2], shape[0])


def flattened_shapes(workload: Workload) -> dict[str, Shape]:
    """Map each dense kernel after a Flatten to the shape (HWC) that was flattened."""
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
    """Return a torch weight, bias or gradient in the canonical layout.

    Linear `(out, in)` becomes `(in, out)`. If it follows a Flatten of an `image` (HWC), its rows go
    from the order of CHW to that of HWC. Conv2d `(out, in, height, width)` becomes
    `(height, width, in, out)`.
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
    """Invert `to_canonical`."""
    if values.ndim == 4:
        values = values.transpose(3, 2, 0, 1)
    elif values.ndim == 2:
        if image is not None and len(image) == 3:
            rows = values.reshape(*image, -1).transpose(2, 0, 1, 3)
            values = rows.reshape(math.prod(image), -1)
        values = values.T
    return torch.from_numpy(np.array(values, order="C"))
