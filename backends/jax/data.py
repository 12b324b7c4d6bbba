"""JAX's own way to MNIST is NumPy: slices of arrays, in an order that NumPy draws."""

from collections.abc import Iterator

import numpy as np

from bench.adapter import Array


def batches(*arrays: Array, batch_size: int) -> Iterator[tuple[Array, ...]]:
    """In the order given, the last partial batch kept."""
    for start in range(0, len(arrays[0]), batch_size):
        yield tuple(array[start : start + batch_size] for array in arrays)


def tutorial_batches(images: Array, labels: Array, batch_size: int) -> Iterator[tuple[Array, ...]]:
    """What a newcomer writes after JAX's own MNIST example: a permutation, and batches by index."""
    order = np.random.RandomState(0).permutation(len(labels))
    for start in range(0, len(labels), batch_size):
        chosen = order[start : start + batch_size]
        yield images[chosen], labels[chosen]
