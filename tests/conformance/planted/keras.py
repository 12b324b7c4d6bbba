"""Plant bugs in the Keras adapter, for every engine."""

from collections.abc import Callable
from typing import Any

import keras
from keras import ops
from pytest import MonkeyPatch  # noqa: PT013 - this name is in the signature of every plant

from backends.keras import models
from backends.keras.adapter import KerasProgram
from bench.workloads import CNN, MLP_256_256_128_64, MLP_512, MLP_512_256
from tests.conformance.planted import Plant

Patch = Callable[[MonkeyPatch], None]


def layer(kind: str, made: type[keras.Layer], **changed: Any) -> Patch:
    """Replace a layer of Keras by another under the same name."""

    def plant(patch: MonkeyPatch) -> None:
        patch.setattr(keras.layers, kind, lambda *args, **named: made(*args, **named, **changed))

    return plant


def optimizer(made: Callable[[], keras.Optimizer]) -> Patch:
    return lambda patch: patch.setattr(models, "optimizer", lambda settings, exact: made())


def loss(made: Callable[..., Any]) -> Patch:
    """Replace the loss; the new loss is called with `from_logits=True`, like Keras' own."""
    return lambda patch: patch.setitem(models.LOSSES, "integer", made)


def change_arguments(change: Callable[[Any, Any], Any]) -> Patch:
    """Replace the loss by Keras' own loss of changed labels and logits."""

    def made(from_logits: bool) -> Any:
        def changed(labels: Any, logits: Any) -> Any:
            return keras.losses.sparse_categorical_crossentropy(
                *change(labels, logits), from_logits=from_logits
            )

        return changed

    return loss(made)


class WithoutBias(keras.layers.Dense):
    def call(self, inputs: Any, training: Any = None) -> Any:
        return self.activation(ops.matmul(inputs, self.kernel))


class SquareTransposed(keras.layers.Dense):
    def call(self, inputs: Any, training: Any = None) -> Any:
        rows, columns = self.kernel.shape
        kernel = ops.transpose(self.kernel) if rows == columns else self.kernel
        return self.activation(ops.matmul(inputs, kernel) + self.bias)


class ChannelsFirst(keras.layers.Flatten):
    def call(self, inputs: Any) -> Any:
        return super().call(ops.transpose(inputs, (0, 3, 1, 2)))


class TopLeft(keras.layers.Conv2D):
    def call(self, inputs: Any) -> Any:
        size = self.kernel_size[0]
        around = (size // 2, (size - 1) // 2)
        padded = ops.pad(inputs, ((0, 0), around, around, (0, 0)))
        return self.activation(ops.conv(padded, self.kernel, padding="valid") + self.bias)


class Always(keras.layers.Dropout):
    def call(self, inputs: Any, training: bool = False) -> Any:
        return super().call(inputs, training=True)


class Never(keras.layers.Dropout):
    def call(self, inputs: Any, training: bool = False) -> Any:
        return inputs


class Kept(keras.layers.Dropout):
    """Dropout that takes the share to keep for the share to drop."""

    def __init__(self, rate: float, **named: Any) -> None:
        super().__init__(1 - rate, **named)


class Unscaled(keras.layers.Dropout):
    def call(self, inputs: Any, training: bool = False) -> Any:
        return super().call(inputs, training=training) * (1 - self.rate if training else 1)


class Frozen(keras.layers.Dropout):
    def call(self, inputs: Any, training: bool = False) -> Any:
        return keras.random.dropout(inputs, self.rate, seed=7) if training else inputs


def multiply_pixels(patch: MonkeyPatch) -> None:
    put = KerasProgram.put
    patch.setattr(KerasProgram, "put", lambda self, batch: put(self, (255 * batch[0], batch[1])))


def drop_partial_batch(patch: MonkeyPatch) -> None:
    fit = KerasProgram.fit

    def whole(self: KerasProgram, images: Any, labels: Any, batch_size: int) -> Any:
        count = len(labels) // batch_size * batch_size
        return fit(self, images[:count], labels[:count], batch_size)

    patch.setattr(KerasProgram, "fit", whole)


PLANTS = [
    Plant(
        name="Adam with torch's epsilon",
        workload=MLP_512_256, rung="update", where="dense_2/bias, full batch",
        # with this epsilon, a thirtieth of the usual, Keras' Adam equals torch's after one step
        plant=optimizer(lambda: keras.optimizers.Adam(1e-3, epsilon=1e-7 * 0.001**0.5)),
    ),
    Plant(
        name="RMSprop with rho 0.99",
        workload=MLP_512, rung="update", where="dense_1/bias, full batch",
        plant=optimizer(lambda: keras.optimizers.RMSprop(1e-3, rho=0.99)),
    ),
    Plant(
        name="no bias",
        workload=MLP_512, rung="parameters", where="dense_0",
        plant=layer("Dense", keras.layers.Dense, use_bias=False),
    ),
    Plant(
        name="a bias that is there and not used",
        workload=MLP_512, rung="forward", where="logits, full batch",
        plant=layer("Dense", WithoutBias),
    ),
    Plant(
        name="flatten in the order C, H, W",
        workload=CNN, rung="forward", where="logits", plant=layer("Flatten", ChannelsFirst),
    ),
    Plant(
        name="padding at the top and at the left",
        workload=CNN, rung="forward", where="logits", plant=layer("Conv2D", TopLeft),
    ),
    Plant(
        name="square kernel transposed",
        workload=MLP_256_256_128_64, rung="forward", where="logits",
        plant=layer("Dense", SquareTransposed),
    ),
    Plant(
        name="dropout on in evaluation",
        workload=CNN, rung="forward", where="logits", plant=layer("Dropout", Always),
    ),
    Plant(
        name="dropout off in training",
        workload=CNN, rung="dropout share", where="share of zeros",
        plant=layer("Dropout", Never),
    ),
    Plant(
        name="dropout at rate 0.75",
        workload=CNN, rung="dropout share", where="share of zeros", plant=layer("Dropout", Kept),
    ),
    Plant(
        name="survivors of dropout not scaled",
        workload=CNN, rung="dropout scale", where="scale of survivors",
        plant=layer("Dropout", Unscaled),
    ),
    Plant(
        name="a frozen dropout mask",
        workload=CNN, rung="dropout masks", where="successive steps",
        plant=layer("Dropout", Frozen),
    ),
    Plant(
        name="loss summed",
        workload=MLP_512, rung="gradient", where="loss, full batch",
        plant=loss(
            lambda from_logits: keras.losses.SparseCategoricalCrossentropy(
                from_logits=from_logits, reduction="sum"
            )
        ),
    ),
    Plant(
        name="loss divided by the nominal batch",
        workload=MLP_512, rung="gradient", where="loss, partial batch",
        plant=loss(
            lambda from_logits: lambda labels, logits: ops.sum(
                keras.losses.sparse_categorical_crossentropy(labels, logits, from_logits=True)
            ) / MLP_512.batch_size
        ),
    ),
    Plant(
        name="softmax twice",
        workload=MLP_512, rung="gradient", where="loss, full batch",
        plant=change_arguments(lambda labels, logits: (labels, ops.exp(ops.log_softmax(logits)))),
    ),
    Plant(
        name="labels off by one",
        workload=MLP_512, rung="gradient", where="loss, full batch",
        plant=change_arguments(lambda labels, logits: ((labels + 1) % 10, logits)),
    ),
    Plant(
        name="pixels not divided by 255",
        workload=MLP_512, rung="forward", where="logits, full batch", plant=multiply_pixels,
    ),
    Plant(
        name="partial batch dropped",
        workload=MLP_512, rung="fit", where="both batches", plant=drop_partial_batch,
    ),
]  # fmt: skip
