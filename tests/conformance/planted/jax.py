"""Plant bugs in the JAX adapter."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from pytest import MonkeyPatch  # noqa: PT013 - this name is in the signature of every plant

from backends.jax import adapter, data, models, optimizers
from bench.spec import Conv2D, Dense, Dropout, Flatten
from bench.workloads import CNN, MLP_256_256_128_64, MLP_512, MLP_512_256
from tests.conformance.planted import Plant

Patch = Callable[[MonkeyPatch], None]


def layers(kind: type, changed: Callable[..., Any]) -> Patch:
    """Replace the computation of layers of this kind; `changed` gets the right computation."""

    def plant(patch: MonkeyPatch) -> None:
        right = models.apply

        def apply(layer: Any, name: str, parameters: Any, values: Any, key: Any) -> Any:
            if isinstance(layer, kind):
                return changed(right, layer, name, parameters, values, key)
            return right(layer, name, parameters, values, key)

        patch.setattr(models, "apply", apply)

    return plant


def leave_out(*names: str) -> Patch:
    """Leave out parameters."""

    def plant(patch: MonkeyPatch) -> None:
        right = models.zeros

        def zeros(workload: Any, dtype: str) -> Any:
            return {name: value for name, value in right(workload, dtype).items()
                    if name.partition("/")[2] not in names}  # fmt: skip

        patch.setattr(models, "zeros", zeros)
        layers(Dense, ignore_bias)(patch)

    return plant


def ignore_bias(right: Any, layer: Any, name: str, parameters: Any, values: Any, key: Any) -> Any:
    zeros = {f"{name}/bias": jnp.zeros(layer.units, values.dtype)}
    return right(layer, name, {**parameters, **zeros}, values, key)


def transpose_square(
    right: Any, layer: Any, name: str, parameters: Any, values: Any, key: Any
) -> Any:
    kernel = parameters[f"{name}/kernel"]
    square = kernel.shape[0] == kernel.shape[1]
    changed = {f"{name}/kernel": kernel.T if square else kernel}
    return right(layer, name, {**parameters, **changed}, values, key)


def compute_in_float32(
    right: Any, layer: Any, name: str, parameters: Any, values: Any, key: Any
) -> Any:
    smaller = {key: value.astype("float32") for key, value in parameters.items()}
    return right(layer, name, smaller, values.astype("float32"), key).astype(values.dtype)


def flatten_channels_first(
    right: Any, layer: Any, name: str, parameters: Any, values: Any, key: Any
) -> Any:
    return right(layer, name, parameters, values.transpose(0, 3, 1, 2), key)


def pad_top_left(right: Any, layer: Any, name: str, parameters: Any, values: Any, key: Any) -> Any:
    size = layer.kernel_size
    around = (size // 2, (size - 1) // 2, 0)
    none = (0, 0, 0)
    padded = lax.pad(values, jnp.zeros((), values.dtype), (none, around, around, none))
    return right(replace(layer, padding="valid"), name, parameters, padded, key)


def drop_always(right: Any, layer: Any, name: str, parameters: Any, values: Any, key: Any) -> Any:
    known = jax.random.key(3) if key is None else key
    return right(layer, name, parameters, values, known)


def drop_never(right: Any, layer: Any, name: str, parameters: Any, values: Any, key: Any) -> Any:
    return values


def swap_rate(right: Any, layer: Any, name: str, parameters: Any, values: Any, key: Any) -> Any:
    return right(replace(layer, rate=1 - layer.rate), name, parameters, values, key)


def undo_scale(right: Any, layer: Any, name: str, parameters: Any, values: Any, key: Any) -> Any:
    dropped = right(layer, name, parameters, values, key)
    return dropped if key is None else dropped * (1 - layer.rate)


def freeze_mask(right: Any, layer: Any, name: str, parameters: Any, values: Any, key: Any) -> Any:
    return right(layer, name, parameters, values, None if key is None else jax.random.key(7))


def optimizer(**changed: Any) -> Patch:
    """Use the right equations with other settings."""

    def plant(patch: MonkeyPatch) -> None:
        right = optimizers.update
        patch.setattr(
            optimizers,
            "update",
            lambda settings, *state: right(replace(settings, **changed), *state),
        )

    return plant


def use_torchs_adam(patch: MonkeyPatch) -> None:
    """Add epsilon after the bias correction."""

    def adam(settings: Any, parameters: Any, moments: Any, gradients: Any, step: Any) -> Any:
        beta_1, beta_2 = settings.decay
        first = optimizers.moving_averages(moments[0], gradients, beta_1)
        second = optimizers.moving_averages(moments[1], jax.tree.map(jnp.square, gradients), beta_2)
        count = step.astype("float32")
        rate = settings.learning_rate / optimizers.bias_correction(beta_1, count)
        root = jnp.sqrt(optimizers.bias_correction(beta_2, count))
        changed = {
            name: value - rate * first[name] / (jnp.sqrt(second[name]) / root + settings.epsilon)
            for name, value in parameters.items()
        }
        return changed, (first, second)

    patch.setattr(optimizers, "adam", adam)


def move_epsilon_out_of_root(patch: MonkeyPatch) -> None:
    def rmsprop(settings: Any, parameters: Any, moments: Any, gradients: Any) -> Any:
        (velocity,) = moments
        squares = jax.tree.map(jnp.square, gradients)
        velocity = optimizers.moving_averages(velocity, squares, settings.decay[0])
        changed = {
            name: value
            - settings.learning_rate
            * gradients[name]
            / (jnp.sqrt(velocity[name]) + settings.epsilon)
            for name, value in parameters.items()
        }
        return changed, (velocity,)

    patch.setattr(optimizers, "rmsprop", rmsprop)


def loss(changed: Callable[..., Any]) -> Patch:
    """Replace the loss of each image; `changed` gets the right loss."""

    def plant(patch: MonkeyPatch) -> None:
        right = models.losses
        patch.setattr(models, "losses", lambda logits, labels: changed(right, logits, labels))

    return plant


def divide_by_nominal_batch(right: Any, logits: Any, labels: Any) -> Any:
    return right(logits, labels) * len(logits) / MLP_512.batch_size


def multiply_pixels(patch: MonkeyPatch) -> None:
    place = adapter.JaxProgram._to_device
    patch.setattr(
        adapter.JaxProgram,
        "_to_device",
        lambda self, images, targets: place(self, 255 * images, targets),
    )


def drop_partial_batch(patch: MonkeyPatch) -> None:
    batches = data.batches

    def whole(*arrays: Any, batch_size: int) -> Any:
        return [
            batch
            for batch in batches(*arrays, batch_size=batch_size)
            if len(batch[0]) == batch_size
        ]

    patch.setattr(data, "batches", whole)


PLANTS = [
    Plant(
        name="Adam with torch's epsilon",
        workload=MLP_512_256, rung="update", where="dense_2/bias, full batch",
        plant=use_torchs_adam,
    ),
    Plant(
        name="RMSprop with rho 0.99",
        workload=MLP_512, rung="update", where="dense_1/bias, full batch",
        plant=optimizer(decay=(0.99,)),
    ),
    Plant(
        name="epsilon outside the root",
        workload=MLP_512, rung="update", where="dense_1/bias, full batch",
        plant=move_epsilon_out_of_root,
    ),
    Plant(
        name="no bias",
        workload=MLP_512, rung="parameters", where="dense_0", plant=leave_out("bias"),
    ),
    Plant(
        name="a bias that is there and not used",
        workload=MLP_512, rung="forward", where="logits, full batch",
        plant=layers(Dense, ignore_bias),
    ),
    Plant(
        name="flatten in the order C, H, W",
        workload=CNN, rung="forward", where="logits", plant=layers(Flatten, flatten_channels_first),
    ),
    Plant(
        name="padding at the top and at the left",
        workload=CNN, rung="forward", where="logits", plant=layers(Conv2D, pad_top_left),
    ),
    Plant(
        name="square kernel transposed",
        workload=MLP_256_256_128_64, rung="forward", where="logits",
        plant=layers(Dense, transpose_square),
    ),
    Plant(
        name="dropout on in evaluation",
        workload=CNN, rung="forward", where="logits", plant=layers(Dropout, drop_always),
    ),
    Plant(
        name="dropout off in training",
        workload=CNN, rung="dropout share", where="share of zeros",
        plant=layers(Dropout, drop_never),
    ),
    Plant(
        name="dropout at rate 0.75",
        workload=CNN, rung="dropout share", where="share of zeros",
        plant=layers(Dropout, swap_rate),
    ),
    Plant(
        name="survivors of dropout not scaled",
        workload=CNN, rung="dropout scale", where="scale of survivors",
        plant=layers(Dropout, undo_scale),
    ),
    Plant(
        name="a frozen dropout mask",
        workload=CNN, rung="dropout masks", where="successive steps",
        plant=layers(Dropout, freeze_mask),
    ),
    Plant(
        name="loss summed",
        workload=MLP_512, rung="gradient", where="loss, full batch",
        plant=loss(lambda right, logits, labels: right(logits, labels) * len(logits)),
    ),
    Plant(
        name="loss divided by the nominal batch",
        workload=MLP_512, rung="gradient", where="loss, partial batch",
        plant=loss(divide_by_nominal_batch),
    ),
    Plant(
        name="softmax twice",
        workload=MLP_512, rung="gradient", where="loss, full batch",
        plant=loss(lambda right, logits, labels: right(jax.nn.softmax(logits), labels)),
    ),
    Plant(
        name="labels off by one",
        workload=MLP_512, rung="gradient", where="loss, full batch",
        plant=loss(lambda right, logits, labels: right(logits, (labels + 1) % 10)),
    ),
    Plant(
        name="pixels not divided by 255",
        workload=MLP_512, rung="forward", where="logits, full batch", plant=multiply_pixels,
    ),
    Plant(
        name="partial batch dropped",
        workload=MLP_512, rung="fit", where="both batches", plant=drop_partial_batch,
    ),
    Plant(
        name="float64 computed in float32",
        workload=MLP_512, rung="forward", where="as far off as float32 is",
        plant=layers(Dense, compute_in_float32), precision="float64",
    ),
]  # fmt: skip
