"""Count the work of one train step from a workload's layers: nothing here is measured.

Operations are floating-point operations: an addition, a comparison, a division, a root and an
exponential count 1 each, a multiply-add 2. A convolution counts as in the direct algorithm,
including products with the zeros of its padding. Not counted: drawing random numbers, the running
metrics, and scalars that are computed once per step (Adam's corrected rate).

Bytes are compulsory traffic only: every array is moved once each way that it must be. Images are
read; parameters and optimizer slots are read and written; gradients of parameters, outputs of
layers and gradients of those outputs are written and read. Bias and activation need no extra
traffic, and a Flatten moves nothing. Labels and dropout masks are left out. An implementation that
passes over an array twice moves more; one whose cache holds an array moves less.
"""

import math
from dataclasses import dataclass

from bench.spec import Conv2D, Dense, Dropout, Flatten, Layer, MaxPool2D, Shape, Workload

# operations per value: of the function itself, then of the product with its derivative
ACTIVATION = {"linear": (0, 0), "relu": (1, 1), "tanh": (1, 3)}
# per parameter, as in `keras/src/optimizers/adam.py` and `rmsprop.py` of Keras 3.15:
#   m += (g - m)(1 - b1), 3;  v += (g^2 - v)(1 - b2), 4;  w -= m a / (sqrt(v) + epsilon), 5
#   v = rho v + (1 - rho) g^2, 4;  w -= rate g / sqrt(v + epsilon), 5
UPDATE = {"adam": 12, "rmsprop": 9}
SLOTS = {"adam": 2, "rmsprop": 1}
# TF32 is float32 in memory
VALUE_BYTES = {"float32": 4, "tf32": 4, "bfloat16": 2, "float64": 8}


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """Floating-point operations of one train step, and the bytes that it must move for them."""

    operations: int
    moved_bytes: int

    @property
    def intensity(self) -> float:
        """Return the operations per byte (Williams, Waterman and Patterson 2009)."""
        return self.operations / self.moved_bytes


def step_work(workload: Workload, batch_size: int, precision: str = "float32") -> Work:
    """Return the work of one train step on a full batch; all arrays are of `precision`."""
    return Work(
        operations=sum(operations(workload, batch_size).values()),
        moved_bytes=VALUE_BYTES[precision] * sum(moved_values(workload, batch_size).values()),
    )


def operations(workload: Workload, batch_size: int) -> dict[str, int]:
    """Return floating-point operations by part of the step.

    The parts are `dense_0 forward`, `dense_0 weights`, `dense_0 inputs`, ..., `loss` and `update`.
    `weights` and `inputs` are the two halves of a layer's backward pass. Up to the first layer with
    parameters, no gradient with respect to inputs is needed.
    """
    counts: dict[str, int] = {}
    trained = False
    for name, layer, shape in workload.named_layers():
        multiplied = batch_size * product_operations(layer, shape)
        forward, backward = (batch_size * count for count in elementwise_operations(layer, shape))
        counts[f"{name} forward"] = multiplied + forward
        has_parameters = bool(layer.parameter_shapes(shape))
        if has_parameters:
            counts[f"{name} weights"] = multiplied + backward
        if trained:
            counts[f"{name} inputs"] = multiplied if has_parameters else backward
        trained = trained or has_parameters
    (classes,) = workload.summary()[-1].output_shape
    counts["loss"] = batch_size * cross_entropy(classes)
    counts["update"] = workload.parameter_total * UPDATE[workload.optimizer.name]
    return counts


def product_operations(layer: Layer, shape: Shape) -> int:
    """Return the operations of one image's product of inputs and kernel.

    Each product of the backward pass takes as many.
    """
    if isinstance(layer, Dense | Conv2D):
        *positions, _ = layer.output_shape(shape)
        return 2 * math.prod(positions) * math.prod(layer.parameter_shapes(shape)["kernel"])
    return 0


def elementwise_operations(layer: Layer, shape: Shape) -> tuple[int, int]:
    """Return the operations of one image without the products: forward and backward."""
    outputs = math.prod(layer.output_shape(shape))
    if isinstance(layer, Dense | Conv2D):
        forward, backward = ACTIVATION[layer.activation]
        # one more per direction: the bias is added, and its gradient is a sum
        return outputs * (1 + forward), outputs * (1 + backward)
    if isinstance(layer, MaxPool2D):
        # backward, a gradient goes to the place of the largest value: no arithmetic
        return outputs * (layer.size**2 - 1), 0
    if isinstance(layer, Dropout):
        # a random number is compared with the rate and a value scaled; backward only the scaling
        return 2 * outputs, outputs
    return 0, 0


def cross_entropy(classes: int) -> int:
    """Return one image's operations for softmax cross-entropy on logits and its gradient.

    The loss is a mean over the batch. Forward: maximum, subtraction, exponential and sum over the
    classes; a logarithm, a subtraction and the mean's addition. Backward: a division by the sum and
    one by the batch size for each class, and 1 subtracted from the true class.
    """
    return (4 * classes + 3) + (2 * classes + 1)


def moved_values(workload: Workload, batch_size: int) -> dict[str, int]:
    """Return the numbers that one step must move between memory and processor, by kind of array."""
    parameters = workload.parameter_total
    outputs = batch_size * sum(
        math.prod(layer.output_shape(shape))
        for _, layer, shape in workload.named_layers()
        if not isinstance(layer, Flatten)
    )
    return {
        "images": batch_size * math.prod(workload.input_shape),
        "parameters": 2 * parameters,
        "gradients": 2 * parameters,
        "slots": 2 * SLOTS[workload.optimizer.name] * parameters,
        "outputs": 2 * outputs,
        "gradients of outputs": 2 * outputs,
    }
