"""The work of one train step, counted from a workload's layers: nothing here is measured.

Operations are floating-point ones: an addition, a comparison, a division, a root, an exponential
each count 1, a multiply-add 2. A convolution counts as the direct algorithm does it, products with
the zeros of its padding included. Left out: drawing random numbers, the running metrics, scalars
that are computed once a step (Adam's corrected rate).

Bytes are compulsory traffic only: every array goes each way that it must, once. Images are read;
parameters and optimizer slots are read and written; gradients of parameters, outputs of layers and
gradients of those outputs are written and read. Bias and activation are done on the way, a Flatten
moves nothing, labels and dropout masks are left out. An implementation that passes over an array
twice moves more; one whose cache holds an array moves less.
"""

import math
from dataclasses import dataclass

from bench.spec import Conv2D, Dense, Dropout, Flatten, Layer, MaxPool2D, Shape, Workload

# of each value: of the function itself, then of the product with its derivative
ACTIVATION = {"linear": (0, 0), "relu": (1, 1), "tanh": (1, 3)}
# of each parameter, as `keras/src/optimizers/adam.py` and `rmsprop.py` of Keras 3.15 write it:
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
        """Operations a byte (Williams, Waterman and Patterson 2009)."""
        return self.operations / self.moved_bytes


def step_work(workload: Workload, batch_size: int, precision: str = "float32") -> Work:
    """One train step on a full batch; all arrays are of `precision`."""
    return Work(
        operations=sum(operations(workload, batch_size).values()),
        moved_bytes=VALUE_BYTES[precision] * sum(moved_values(workload, batch_size).values()),
    )


def operations(workload: Workload, batch_size: int) -> dict[str, int]:
    """Floating-point operations by part of the step: `dense_0 forward`, `dense_0 weights`, ...

    `weights` and `inputs` are the two halves of a layer's backward pass. Up to the first layer
    with parameters nobody asks for the gradient with respect to inputs.
    """
    found: dict[str, int] = {}
    trained = False
    for name, layer, shape in workload.named_layers():
        multiplied = batch_size * product(layer, shape)
        forward, backward = (batch_size * one for one in elementwise(layer, shape))
        found[f"{name} forward"] = multiplied + forward
        has_parameters = bool(layer.parameter_shapes(shape))
        if has_parameters:
            found[f"{name} weights"] = multiplied + backward
        if trained:
            found[f"{name} inputs"] = multiplied if has_parameters else backward
        trained = trained or has_parameters
    (classes,) = workload.summary()[-1].output_shape
    found["loss"] = batch_size * cross_entropy(classes)
    found["update"] = workload.parameter_total * UPDATE[workload.optimizer.name]
    return found


def product(layer: Layer, shape: Shape) -> int:
    """Of one image's product of inputs and kernel; each one of the backward pass takes as many."""
    if isinstance(layer, Dense | Conv2D):
        *positions, _ = layer.output_shape(shape)
        return 2 * math.prod(positions) * math.prod(layer.parameter_shapes(shape)["kernel"])
    return 0


def elementwise(layer: Layer, shape: Shape) -> tuple[int, int]:
    """Of one image, without the products: forward and backward."""
    outputs = math.prod(layer.output_shape(shape))
    if isinstance(layer, Dense | Conv2D):
        forward, backward = ACTIVATION[layer.activation]
        # one more each way: the bias is added, and its gradient is a sum
        return outputs * (1 + forward), outputs * (1 + backward)
    if isinstance(layer, MaxPool2D):
        # backward, a gradient goes to where the largest value was: no arithmetic
        return outputs * (layer.size**2 - 1), 0
    if isinstance(layer, Dropout):
        # a random number compared with the rate, a value scaled; backward the scaling alone
        return 2 * outputs, outputs
    return 0, 0


def cross_entropy(classes: int) -> int:
    """Of one image: softmax cross-entropy on logits and its gradient, of a mean over the batch.

    Forward: maximum, subtraction, exponential and sum over the classes; a logarithm, a
    subtraction and the mean's addition. Backward: a division by the sum and one by the batch size
    for each class, and 1 subtracted from the true one.
    """
    return (4 * classes + 3) + (2 * classes + 1)


def moved_values(workload: Workload, batch_size: int) -> dict[str, int]:
    """Numbers that one step must move between memory and processor, by what they are."""
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
