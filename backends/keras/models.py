"""A workload as a compiled `keras.Sequential`. Keras' layouts are the canonical ones."""

from collections.abc import Iterator
from typing import Any

import keras
import numpy as np

from bench.spec import Conv2D, Dense, Dropout, Flatten, Layer, LayerSummary, Optimizer, Workload

LOSSES = {
    "integer": keras.losses.SparseCategoricalCrossentropy,
    "one-hot": keras.losses.CategoricalCrossentropy,
}


def network(workload: Workload, *, exact: bool = False, **options: Any) -> keras.Sequential:
    """Build and compile the model; `options` go to `Model.compile`.

    `exact` makes the optimizer exact in float64 on an engine that rounds Python floats.
    """
    model = keras.Sequential(
        [
            keras.Input(workload.input_shape),
            *(keras_layer(name, layer) for name, layer, _ in workload.named_layers()),
        ]
    )
    # from logits, because Keras clips probabilities on some engines, which changes the gradient
    model.compile(
        optimizer=optimizer(workload.optimizer, exact=exact),
        loss=LOSSES[workload.labels](from_logits=True),
        metrics=["accuracy"],
        **options,
    )
    model.optimizer.build(model.trainable_variables)
    return model


def keras_layer(name: str, layer: Layer) -> keras.Layer:
    """Return Keras' layer with this name."""
    if isinstance(layer, Dense):
        return keras.layers.Dense(layer.units, activation=layer.activation, name=name)
    if isinstance(layer, Conv2D):
        return keras.layers.Conv2D(
            layer.filters,
            layer.kernel_size,
            padding=layer.padding,
            activation=layer.activation,
            name=name,
        )
    if isinstance(layer, Dropout):
        return keras.layers.Dropout(layer.rate, name=name)
    if isinstance(layer, Flatten):
        return keras.layers.Flatten(name=name)
    return keras.layers.MaxPooling2D(layer.size, name=name)


def optimizer(settings: Optimizer, *, exact: bool) -> keras.Optimizer:
    """Return Keras' optimizer with these settings."""
    rate, epsilon = settings.learning_rate, settings.epsilon
    if settings.name == "adam":
        # NumPy floats keep all their digits
        beta_1, beta_2 = map(np.float64, settings.decay) if exact else settings.decay
        return keras.optimizers.Adam(rate, beta_1=beta_1, beta_2=beta_2, epsilon=epsilon)
    return keras.optimizers.RMSprop(rate, rho=settings.decay[0], epsilon=epsilon)


def summary(model: keras.Sequential, workload: Workload) -> Iterator[LayerSummary]:
    """Yield the rows of the layer table, read from the built layers."""
    kinds = {name: layer.kind for name, layer, _ in workload.named_layers()}
    for layer in model.layers:
        yield LayerSummary(
            name=layer.name,
            kind=kinds[layer.name],
            output_shape=tuple(layer.output.shape[1:]),
            count=layer.count_params(),
        )


def canonical_name(variable: keras.Variable) -> str:
    """Return a name such as `dense_0/kernel`: the last two parts of the variable's path."""
    return "/".join(variable.path.split("/")[-2:])
