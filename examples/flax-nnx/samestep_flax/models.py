"""A workload as a Flax NNX module, and its training step as Flax's own tutorial writes it."""

from collections.abc import Iterator
from typing import Any

import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx

from bench import spec
from bench.adapter import Array

ACTIVATIONS = {"relu": nnx.relu, "tanh": nnx.tanh, "linear": nnx.identity}


class Network(nnx.Module):
    """The layers that have parameters or draw, each an attribute under its canonical name."""

    def __init__(self, workload: spec.Workload, dtype: str, rngs: nnx.Rngs) -> None:
        self.workload = workload
        # zeros, because weights are always loaded
        how = {"param_dtype": dtype, "kernel_init": nnx.initializers.zeros, "rngs": rngs}
        for name, layer, (*_, channels) in workload.named_layers():
            if isinstance(layer, spec.Dense):
                setattr(self, name, nnx.Linear(channels, layer.units, **how))
            elif isinstance(layer, spec.Conv2D):
                size, padding = (layer.kernel_size,) * 2, layer.padding.upper()
                setattr(self, name, nnx.Conv(channels, layer.filters, size, padding=padding, **how))
            elif isinstance(layer, spec.Dropout):
                setattr(self, name, nnx.Dropout(layer.rate, rngs=rngs))

    def __call__(self, images: Any, *, training: bool = False) -> Any:
        *_, (_, _, logits) = self.outputs(images, training=training)
        return logits

    def outputs(self, values: Any, *, training: bool = False) -> Iterator[tuple[str, str, Any]]:
        """Name, kind and output of one layer after the other."""
        for name, layer, _ in self.workload.named_layers():
            if isinstance(layer, spec.Dense | spec.Conv2D):
                values = ACTIVATIONS[layer.activation](getattr(self, name)(values))
            elif isinstance(layer, spec.Dropout):
                values = getattr(self, name)(values, deterministic=not training)
            elif isinstance(layer, spec.MaxPool2D):
                values = nnx.max_pool(values, (layer.size,) * 2, (layer.size,) * 2)
            else:
                values = values.reshape(len(values), -1)
            yield name, layer.kind, values


def canonical(workload: spec.Workload, state: nnx.State) -> dict[str, Array]:
    """Parameters or gradients on the host; in the workload's order, Flax has the alphabet's."""
    found = {"/".join(path): np.array(value[...]) for path, value in nnx.to_flat_state(state)}
    return {name: found[name] for name in workload.parameter_shapes()}


def summary(model: Network, dtype: str) -> Iterator[spec.LayerSummary]:
    """The layer table as an image goes through the network."""
    parameters = canonical(model.workload, nnx.state(model, nnx.Param))
    image = jnp.zeros((1, *model.workload.input_shape), dtype)
    for name, kind, output in model.outputs(image):
        count = sum(one.size for key, one in parameters.items() if key.startswith(f"{name}/"))
        yield spec.LayerSummary(name=name, kind=kind, output_shape=output.shape[1:], count=count)


def losses(logits: Any, targets: Any) -> Any:
    """Of each image `(batch,)`; targets as classes or one-hot."""
    if targets.ndim == 1:
        return optax.softmax_cross_entropy_with_integer_labels(logits, targets)
    return optax.softmax_cross_entropy(logits, targets)


def hits(logits: Any, targets: Any) -> Any:
    classes = targets if targets.ndim == 1 else targets.argmax(axis=1)
    return logits.argmax(axis=1) == classes


def mean_loss(model: Network, images: Any, targets: Any) -> tuple[Any, Any]:
    logits = model(images, training=True)
    found = losses(logits, targets)
    return found.mean(), (found, hits(logits, targets))


gradients = nnx.value_and_grad(mean_loss, has_aux=True)


def train(model: Network, optimizer: Any, metrics: Any, images: Any, targets: Any) -> None:
    (_, (found, right)), changes = gradients(model, images, targets)
    optimizer.update(model, changes)
    metrics.update(losses=found, hits=right)


def metrics(dtype: str) -> nnx.MultiMetric:
    """Means over images, not over batches."""
    means = {"loss": nnx.metrics.Average("losses"), "accuracy": nnx.metrics.Average("hits")}
    for mean in means.values():
        # Flax sums in float32, which the parity rungs of float64 do not let pass
        mean.total = nnx.metrics.MetricState(jnp.zeros((), dtype))
    return nnx.MultiMetric(**means)
