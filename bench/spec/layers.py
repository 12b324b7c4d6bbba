"""The layers: frozen values that know their output shape and their parameters' shapes.

Their constructors raise `UsageError` for an invalid argument, `output_shape` for a wrong input.
Shapes have no batch axis; images are `(height, width, channels)`.
"""

import math
from dataclasses import dataclass
from typing import TypeAlias

from bench.spec.checks import is_count, is_real, require

ACTIVATIONS = ("relu", "tanh", "linear")
PADDINGS = ("same", "valid")

Shape: TypeAlias = tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dense:
    """`activation(x @ kernel + bias)`; kernel `(in, units)`, bias `(units,)`."""

    units: int
    activation: str = "relu"
    kind = "dense"

    def __post_init__(self) -> None:
        require(
            is_count(self.units), "dense units", expected="an integer >= 1", received=self.units
        )
        require_activation(self.activation)

    def output_shape(self, shape: Shape) -> Shape:
        require(
            len(shape) == 1,
            "a dense layer takes vectors; put a Flatten before it",
            expected="an input of shape (features,)",
            received=shape,
        )
        return (self.units,)

    def parameter_shapes(self, shape: Shape) -> dict[str, Shape]:
        return {"kernel": (shape[0], self.units), "bias": (self.units,)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Conv2D:
    """A convolution of stride 1 over `(height, width, channels)`; kernel `(h, w, in, filters)`.

    With an even kernel, "same" pads one more row at the bottom and one more column at the right.
    """

    filters: int
    kernel_size: int
    padding: str = "same"
    activation: str = "relu"
    kind = "conv"

    def __post_init__(self) -> None:
        for what, value in (("filters", self.filters), ("kernel_size", self.kernel_size)):
            require(is_count(value), f"conv {what}", expected="an integer >= 1", received=value)
        require(
            self.padding in PADDINGS,
            "unknown padding",
            expected=f"one of {', '.join(PADDINGS)}",
            received=self.padding,
        )
        require_activation(self.activation)

    def output_shape(self, shape: Shape) -> Shape:
        height, width, _ = require_image(self.kind, shape)
        lost = 0 if self.padding == "same" else self.kernel_size - 1
        require(
            min(height, width) > lost,
            "the convolution's kernel is larger than its input",
            expected=f"kernel_size <= {min(height, width)}",
            received=self.kernel_size,
        )
        return (height - lost, width - lost, self.filters)

    def parameter_shapes(self, shape: Shape) -> dict[str, Shape]:
        kernel = (self.kernel_size, self.kernel_size, shape[2], self.filters)
        return {"kernel": kernel, "bias": (self.filters,)}


@dataclass(frozen=True, slots=True, kw_only=True)
class MaxPool2D:
    """The largest value of each `size` x `size` square; incomplete squares are dropped."""

    size: int
    kind = "pool"

    def __post_init__(self) -> None:
        require(is_count(self.size), "pool size", expected="an integer >= 1", received=self.size)

    def output_shape(self, shape: Shape) -> Shape:
        height, width, channels = require_image(self.kind, shape)
        require(
            min(height, width) >= self.size,
            "the pool is larger than its input",
            expected=f"size <= {min(height, width)}",
            received=self.size,
        )
        return (height // self.size, width // self.size, channels)

    def parameter_shapes(self, shape: Shape) -> dict[str, Shape]:
        return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Dropout:
    """In training a share `rate` of the values becomes 0; the others are divided by 1 - rate."""

    rate: float
    kind = "dropout"

    def __post_init__(self) -> None:
        require(
            is_real(self.rate) and 0.0 <= self.rate < 1.0,
            "dropout rate",
            expected="a number in [0, 1)",
            received=self.rate,
        )

    def output_shape(self, shape: Shape) -> Shape:
        return shape

    def parameter_shapes(self, shape: Shape) -> dict[str, Shape]:
        return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Flatten:
    """`(height, width, channels)` to a vector; channels run fastest (the order of NHWC)."""

    kind = "flatten"

    def output_shape(self, shape: Shape) -> Shape:
        return (math.prod(shape),)

    def parameter_shapes(self, shape: Shape) -> dict[str, Shape]:
        return {}


Layer: TypeAlias = Dense | Conv2D | MaxPool2D | Dropout | Flatten


def require_activation(activation: str) -> None:
    """Raise `UsageError` if the activation is unknown."""
    require(
        activation in ACTIVATIONS,
        "unknown activation",
        expected=f"one of {', '.join(ACTIVATIONS)}",
        received=activation,
    )


def require_image(kind: str, shape: Shape) -> tuple[int, int, int]:
    """Return height, width and channels; raises `UsageError` for an input of another rank."""
    require(
        len(shape) == 3,
        f"a {kind} layer takes images",
        expected="an input of shape (height, width, channels)",
        received=shape,
    )
    height, width, channels = shape
    return height, width, channels
