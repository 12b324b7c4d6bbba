"""A workload as pure functions of its parameters. JAX's layouts are the canonical ones here."""

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
    """The parameters before any were loaded."""
    return {name: jnp.zeros(shape, dtype) for name, shape in workload.parameter_shapes().items()}


def logits(
    workload: Workload, parameters: Arrays, images: jax.Array, key: jax.Array | None = None
) -> jax.Array:
    """`(batch, 10)`; in training with `key`, from which dropout's masks are drawn."""
    values = images
    for index, (name, layer, _) in enumerate(workload.named_layers()):
        own = None if key is None else jax.random.fold_in(key, index)
        values = apply(layer, name, parameters, values, own)
    return values


def logits_in_bfloat16(
    workload: Workload, parameters: Arrays, images: jax.Array, key: jax.Array | None = None
) -> jax.Array:
    """The same, computed in bfloat16 from float32 parameters, and float32 again at the end."""
    halved, pictures = jax.tree.map(lambda one: one.astype(jnp.bfloat16), (parameters, images))
    return logits(workload, halved, pictures, key).astype(jnp.float32)


def apply(
    layer: Layer, name: str, parameters: Arrays, values: jax.Array, key: jax.Array | None
) -> jax.Array:
    if isinstance(layer, Dense):
        summed = values @ parameters[f"{name}/kernel"] + parameters[f"{name}/bias"]
        return ACTIVATIONS[layer.activation](summed)
    if isinstance(layer, Conv2D):
        found = convolution(values, parameters[f"{name}/kernel"], layer.padding)
        return ACTIVATIONS[layer.activation](found + parameters[f"{name}/bias"])
    if isinstance(layer, MaxPool2D):
        square = (1, layer.size, layer.size, 1)
        return lax.reduce_window(values, -jnp.inf, lax.max, square, square, "VALID")
    if isinstance(layer, Dropout):
        return values if key is None else dropped(values, layer.rate, key)
    assert isinstance(layer, Flatten)
    return values.reshape(len(values), -1)


def convolution(images: jax.Array, kernel: jax.Array, padding: str) -> jax.Array:
    return lax.conv_general_dilated(
        images, kernel, (1, 1), padding.upper(), dimension_numbers=("NHWC", "HWIO", "NHWC")
    )


def dropped(values: jax.Array, rate: float, key: jax.Array) -> jax.Array:
    kept = jax.random.bernoulli(key, 1 - rate, values.shape)
    return jnp.where(kept, values / (1 - rate), 0)


def losses(found: jax.Array, labels: jax.Array) -> jax.Array:
    """Softmax cross-entropy of each image `(batch,)`; labels as classes or one-hot."""
    logarithms = jax.nn.log_softmax(found)
    if labels.ndim == 1:
        return -jnp.take_along_axis(logarithms, labels[:, None], axis=1)[:, 0]
    return -(labels * logarithms).sum(axis=1)


def right(found: jax.Array, labels: jax.Array) -> jax.Array:
    """How many images are classified as labelled."""
    classes = labels if labels.ndim == 1 else labels.argmax(axis=1)
    return (found.argmax(axis=1) == classes).sum(dtype=jnp.int32)


def summary(workload: Workload, parameters: Arrays) -> Iterator[LayerSummary]:
    """The layer table: shapes as JAX traces them, counts from the arrays."""
    dtype = next(iter(parameters.values())).dtype
    values: Any = jax.ShapeDtypeStruct((1, *workload.input_shape), dtype)
    for name, layer, _ in workload.named_layers():
        values = jax.eval_shape(
            lambda given, layer=layer, name=name: apply(layer, name, parameters, given, None),
            values,
        )
        own = [value for key, value in parameters.items() if key.startswith(f"{name}/")]
        yield LayerSummary(
            name=name,
            kind=layer.kind,
            output_shape=tuple(values.shape[1:]),
            count=sum(math.prod(value.shape) for value in own),
        )
