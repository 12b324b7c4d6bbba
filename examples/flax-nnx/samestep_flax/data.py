"""Flax has no loader of its own: its way to MNIST is slices of arrays."""

from collections.abc import Iterator

from bench.adapter import Array


def batches(*arrays: Array, batch_size: int) -> Iterator[tuple[Array, ...]]:
    """In the order given, the last partial batch kept."""
    for start in range(0, len(arrays[0]), batch_size):
        yield tuple(array[start : start + batch_size] for array in arrays)
