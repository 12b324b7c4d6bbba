"""The inputs of the rungs: weights, batches, and variants of the workload.

The probe's biases are not zero: with zero biases a missing bias would change nothing. Its weights
are float32 numbers in every precision, so that all precisions and the oracle start from the same
values.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from bench import mnist
from bench.adapter import Array, Batch
from bench.errors import ParityError
from bench.parity import oracle
from bench.parity.expected import recall
from bench.spec import TRAIN_IMAGES, Conv2D, Dense, Dropout, MaxPool2D, Workload

LARGEST_BIAS = 0.1
# float32 moves a pre-activation by up to 4.5e-7 of the largest in its layer (measured)
KINK = 1e-6
# in batches: images to choose from, because one in five of the CNN comes nearer than that
CANDIDATES = 4


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Probe:
    """Weights in float32, a full batch and the partial batch that follows it."""

    parameters: dict[str, Array]
    full: Batch
    partial: Batch

    @property
    def batches(self) -> dict[str, Batch]:
        return {"full batch": self.full, "partial batch": self.partial}


def probe(workload: Workload, data: mnist.Mnist, seed: int) -> Probe:
    """Return weights and two batches: the first images of the epoch's order without a kink nearby.

    If a pre-activation is within rounding of zero, float32 may flip its ReLU and send a gradient
    elsewhere, though nothing is wrong. An image of the partial batch also has no kink nearby after
    a step on the full batch. Raises `ParityError` if there are too few such images.
    """
    still = remove_dropout(workload)
    parameters = draw(workload, seed)
    order = mnist.batch_order(seed, 0, TRAIN_IMAGES)[: CANDIDATES * workload.batch_size]
    places = recall(f"probe {seed}", still, lambda: clear_places(still, parameters, data, order))
    chosen = order[np.array(places, int)]
    images, labels = select_images(data, workload, chosen)
    size = workload.batch_size
    return Probe(
        parameters=parameters,
        full=(images[:size], labels[:size]),
        partial=(images[size:], labels[size:]),
    )


def draw(workload: Workload, seed: int) -> dict[str, Array]:
    """Draw Glorot uniform kernels, as a training starts with, and uniform biases up to 0.1."""
    drawn = mnist.initial_parameters(workload, seed)
    for name, value in drawn.items():
        if name.endswith("/bias"):
            share = mnist.stream(f"probe/{name}", seed).random_sample(value.shape)
            drawn[name] = (LARGEST_BIAS * (2 * share - 1)).astype(np.float32)
    return drawn


def clear_places(
    workload: Workload, parameters: dict[str, Array], data: mnist.Mnist, order: Array
) -> list[float]:
    """Return the positions in `order` of the images of the full and the partial batch.

    Raises `ParityError` if too few images are clear of kinks.
    """
    images, labels = select_images(data, workload, order)
    clear = np.flatnonzero(oracle.margins(workload, parameters, images) > KINK)
    full, rest = np.split(clear, [workload.batch_size])
    require_clear(workload, full, workload.batch_size)
    require_clear(workload, rest, partial_size(workload))
    training = oracle.Oracle(workload, parameters)
    training.step(images[full], labels[full])
    still_clear = oracle.margins(workload, training.parameters, images[rest]) > KINK
    partial = rest[still_clear][: partial_size(workload)]
    require_clear(workload, partial, partial_size(workload))
    return [float(place) for place in (*full, *partial)]


def require_clear(workload: Workload, places: Array, wanted: int) -> None:
    """Raise `ParityError` if there are fewer images than `wanted`."""
    if len(places) < wanted:
        raise ParityError(
            f"too few images of {workload.name} are clear of kinks. Expected: {wanted} in a batch. "
            f"Received: {len(places)}. Take another seed"
        )


def select_images(data: mnist.Mnist, workload: Workload, chosen: Array) -> Batch:
    """Return these training images, scaled, and their labels."""
    images = mnist.scaled(data.train_images[chosen], workload.input_shape)
    return images, data.train_labels[chosen]


def partial_size(workload: Workload) -> int:
    """Return the size of an epoch's last batch; three quarters of a batch if all are full."""
    return TRAIN_IMAGES % workload.batch_size or max(1, 3 * workload.batch_size // 4)


def sizes(workload: Workload, steps: int) -> list[int]:
    """Return the batch sizes of a trajectory, one of them partial.

    The partial batch is at the end of an epoch, or halfway if the trajectory has no end of an epoch
    or the epoch has no partial batch.
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
    """Yield consecutive batches in the order of training, epoch after epoch."""
    epochs = -(-sum(batch_sizes) // TRAIN_IMAGES)
    order = np.concatenate([mnist.batch_order(seed, n, TRAIN_IMAGES) for n in range(epochs)])
    for chosen in np.split(order, np.cumsum(batch_sizes))[:-1]:
        yield select_images(data, workload, chosen)


def remove_dropout(workload: Workload) -> Workload:
    """Return the workload that the rungs train: dropout draws other masks in every framework."""
    layers = tuple(layer for layer in workload.layers if not isinstance(layer, Dropout))
    if layers == workload.layers:
        return workload
    return replace(workload, name=f"{workload.name}-without-dropout", layers=layers)


def tanh_twin(workload: Workload) -> Workload | None:
    """Return the workload with tanh for ReLU, without kinks; None if other layers have kinks."""
    if any(isinstance(layer, Conv2D | MaxPool2D) for layer in workload.layers):
        return None
    layers = tuple(
        replace(layer, activation="tanh")
        if isinstance(layer, Dense) and layer.activation == "relu"
        else layer
        for layer in remove_dropout(workload).layers
    )
    return replace(workload, name=f"{workload.name}-tanh", layers=layers)
