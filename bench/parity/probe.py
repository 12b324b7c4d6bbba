"""What the rungs are climbed with: weights, batches, and variants of the workload.

Probe weights have biases that are not zero: with zero biases a missing bias would change nothing.
They are float32 numbers in every precision, so that all precisions and the oracle start alike.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from bench import mnist, oracle
from bench.adapter import Array, Batch
from bench.errors import ParityError
from bench.parity.expected import remembered
from bench.spec import TRAIN_IMAGES, Conv2D, Dense, Dropout, MaxPool2D, Workload

LARGEST_BIAS = 0.1
# a pre-activation nearer to zero than this share of its layer may flip its ReLU in float32
KINK = 1e-7
# the CNN takes some 5
MOST_DRAWS = 200


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Probe:
    """Weights in float32, a full batch and the partial one that follows it."""

    parameters: dict[str, Array]
    full: Batch
    partial: Batch

    @property
    def batches(self) -> dict[str, Batch]:
        return {"full batch": self.full, "partial batch": self.partial}


def probe(workload: Workload, data: mnist.Mnist, seed: int) -> Probe:
    """The first draw in which no pre-activation is so small that rounding may flip its ReLU.

    A flip would send a gradient elsewhere, though nothing is wrong; two steps are looked at.
    """
    still = without_dropout(workload)
    full, partial = batches(data, workload, seed, [workload.batch_size, partial_size(workload)])

    def first_good() -> list[float]:
        for number in range(MOST_DRAWS):
            if is_clear(still, draw(still, seed, number), full, partial):
                return [number]
        raise ParityError(
            f"no probe weights for {workload.name}. Expected: no pre-activation within {KINK:g} of "
            f"zero in one of {MOST_DRAWS} draws. Received: one in each; take another seed"
        )

    (attempt,) = remembered(f"probe {seed}", still, first_good)
    return Probe(parameters=draw(workload, seed, int(attempt)), full=full, partial=partial)


def draw(workload: Workload, seed: int, attempt: int) -> dict[str, Array]:
    """Glorot uniform kernels as a training starts with, and uniform biases up to 0.1."""
    drawn = mnist.initial_parameters(workload, seed)
    for name, value in drawn.items():
        if name.endswith("/bias"):
            share = mnist.stream(f"probe/{name}", seed, attempt).random_sample(value.shape)
            drawn[name] = (LARGEST_BIAS * (2 * share - 1)).astype(np.float32)
    return drawn


def is_clear(workload: Workload, parameters: dict[str, Array], full: Batch, partial: Batch) -> bool:
    """Whether both batches are, at these weights, and the second one after a step on the first."""
    if min(oracle.margin(workload, parameters, images) for images, _ in (full, partial)) <= KINK:
        return False
    training = oracle.Oracle(workload, parameters)
    training.step(*full)
    return oracle.margin(workload, training.parameters, partial[0]) > KINK


def partial_size(workload: Workload) -> int:
    """Images in the last batch of an epoch; three quarters of a batch where all are whole."""
    return TRAIN_IMAGES % workload.batch_size or max(1, 3 * workload.batch_size // 4)


def sizes(workload: Workload, steps: int) -> list[int]:
    """Batch sizes of a trajectory, with a partial batch in it.

    It comes where an epoch ends; halfway where the trajectory or the epoch has none.
    """
    batch_sizes = [workload.batch_size] * steps
    last = workload.steps_per_epoch
    has_partial = TRAIN_IMAGES % workload.batch_size != 0
    at = last if has_partial and last <= steps else steps // 2
    if steps > 1:
        batch_sizes[at - 1] = partial_size(workload)
    return batch_sizes


def batches(
    data: mnist.Mnist, workload: Workload, seed: int, batch_sizes: Sequence[int]
) -> Iterator[Batch]:
    """Consecutive batches in the order of training, epoch after epoch."""
    epochs = -(-sum(batch_sizes) // TRAIN_IMAGES)
    order = np.concatenate([mnist.batch_order(seed, n, TRAIN_IMAGES) for n in range(epochs)])
    for chosen in np.split(order, np.cumsum(batch_sizes))[:-1]:
        images = mnist.scaled(data.train_images[chosen], workload.input_shape)
        yield images, data.train_labels[chosen]


def without_dropout(workload: Workload) -> Workload:
    """The workload that the rungs train: dropout draws other masks in every framework."""
    layers = tuple(layer for layer in workload.layers if not isinstance(layer, Dropout))
    if layers == workload.layers:
        return workload
    return replace(workload, name=f"{workload.name}-without-dropout", layers=layers)


def tanh_twin(workload: Workload) -> Workload | None:
    """The workload with tanh for ReLU, which has no kink; None where a layer has other kinks."""
    if any(isinstance(layer, Conv2D | MaxPool2D) for layer in workload.layers):
        return None
    layers = tuple(
        replace(layer, activation="tanh")
        if isinstance(layer, Dense) and layer.activation == "relu"
        else layer
        for layer in without_dropout(workload).layers
    )
    return replace(workload, name=f"{workload.name}-tanh", layers=layers)
