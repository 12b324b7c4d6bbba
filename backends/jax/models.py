"""A workload as pure functions of its parameters, which are in the canonical layouts."""

import math
from collections.abc import Iterator
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
from jax import lax

from bench.spec import Conv2D, Dense, Dropout, Flatten, Layer, LayerSummary, MaxPool2D, Workload

Arrays: TypeAlias = dict[str, jax.Array]
ACTIVATIONS = {"relu": jax.nn.relu, "tanh": jnp.tanh, "linear": lambda values: values}


def zeros(workload: Workload, dtype: str) -> Arrays:
    """Return zeros for all parameters, by canonical name."""
    return {name: jnp.zeros(shape, dtype) for name, shape in workload.parameter_shapes().items()}


def logits(
    workload: Workload, parameters: Arrays, images: jax.Array, key: jax.Array | None = None
) -> jax.Array:
    """Compute the logits `(batch, 10)`, in training mode if there is a `key` for dropout."""
    values = images
    for index, (name, layer, _) in enumerate(workload.named_layers()):
        layer_key = None if key is None else jax.random.fold_in(key, index)
        values = apply(layer, name, parameters, values, layer_key)
    return values


def logits_in_bfloat16(
    workload: Workload, parameters: Arrays, images: jax.Array, key: jax.Array | None = None
) -> jax.Array:
    """Compute `logits` in bfloat16 from float32 parameters and images; the result is float32."""
    halves, half_images = jax.tree.map(
        lambda array: array.astype(jnp.bfloat16), (parameters, images)
    )
    return logits(workload, halves, half_images, key).astype(jnp.float32)


def apply(
    layer: Layer, name: str, parameters: Arrays, values: jax.Array, key: jax.Array | None
) -> jax.Array:
    """Compute one layer's output; dropout needs the `key`, without which it does nothing."""
    if isinstance(layer, Dense):
        sums = values @ parameters[f"{name}/kernel"] + parameters[f"{name}/bias"]
        return ACTIVATIONS[layer.activation](sums)
    if isinstance(layer, Conv2D):
        sums = convolution(values, parameters[f"{name}/kernel"], layer.padding)
        return ACTIVATIONS[layer.activation](sums + parameters[f"{name}/bias"])
    if isinstance(layer, MaxPool2D):
        square = (1, layer.size, layer.size, 1)
        return lax.reduce_window(values, -jnp.inf, lax.max, square, square, "VALID")
    if isinstance(layer, Dropout):
        return values if key is None else dropout(values, layer.rate, key)
    assert isinstance(layer, Flatten)
    return values.reshape(len(values), -1)


def convolution(images: jax.Array, kernel: jax.Array, padding: str) -> jax.Array:
    """Convolve images NHWC with a kernel HWIO, with stride 1."""
    return lax.conv_general_dilated(
        images, kernel, (1, 1), padding.upper(), dimension_numbers=("NHWC", "HWIO", "NHWC")
    )


def dropout(values: jax.Array, rate: float, key: jax.Array) -> jax.Array:
    """Set values to 0 with probability `rate`, and scale the others by 1 / (1 - rate)."""
    mask = jax.random.bernoulli(key, 1 - rate, values.shape)
    return jnp.where(mask, values / (1 - rate), 0)


def losses(outputs: jax.Array, labels: jax.Array) -> jax.Array:
    """Compute the softmax cross-entropy per image, `(batch,)`, from logits.

    Labels are classes `(batch,)` or one-hot `(batch, 10)`.
    """
    logarithms = jax.nn.log_softmax(outputs)
    if labels.ndim == 1:
        return -jnp.take_along_axis(logarithms, labels[:, None], axis=1)[:, 0]
    return -(labels * logarithms).sum(axis=1)


def hits(outputs: jax.Array, labels: jax.Array) -> jax.Array:
    """Count the images whose largest logit is that of their label."""
    classes = labels if labels.ndim == 1 else labels.argmax(axis=1)
    return (outputs.argmax(axis=1) == classes).sum(dtype=jnp.int32)


def summary(workload: Workload, parameters: Arrays) -> Iterator[LayerSummary]:
    """Yield the rows of the layer table: shapes as JAX traces them, counts from the arrays."""
    dtype = next(iter(parameters.values())).dtype
    values: Any = jax.ShapeDtypeStruct((1, *workload.input_shape), dtype)
    for name, layer, _ in workload.named_layers():
        values = jax.eval_shape(
            lambda inputs, layer=layer, name=name: apply(layer, name, parameters, inputs, None),
            values,
        )
        arrays = [value for key, value in parameters.items() if key.startswith(f"{name}/")]
        yield LayerSummary(
            name=name,
            kind=layer.kind,
            output_shape=tuple(values.shape[1:]),
            count=sum(math.prod(array.shape) for array in arrays),
        )
