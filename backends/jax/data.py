"""JAX has no data loader of its own: batches are slices of NumPy arrays."""

from collections.abc import Iterator

import numpy as np

from bench.adapter import Array


def batches(*arrays: Array, batch_size: int) -> Iterator[tuple[Array, ...]]:
    """Yield the batches in the order given, with the last partial batch."""
    for start in range(0, len(arrays[0]), batch_size):
        yield tuple(array[start : start + batch_size] for array in arrays)


def tutorial_batches(images: Array, labels: Array, batch_size: int) -> Iterator[tuple[Array, ...]]:
    """Yield shuffled batches as JAX's own MNIST example does: a permutation, batches by index."""
    order = np.random.RandomState(0).permutation(len(labels))
    for start in range(0, len(labels), batch_size):
        chosen = order[start : start + batch_size]
        yield images[chosen], labels[chosen]
