"""Draw everything random that all backends share, once, in NumPy: batch orders, first parameters.

The draws come from `np.random.RandomState`, whose streams are frozen for good (NEP 19). Streams of
`np.random.Generator` may change with NumPy's version, and each environment has its own NumPy. Each
draw has a stream of its own, seeded with the SHA-256 of `samestep/<purpose>/<seed>/<index>`. So no
two purposes, seeds or epochs share numbers, and one more layer leaves the others unchanged.
"""

import hashlib
import json
import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import DTypeLike, NDArray

from bench.adapter import Array
from bench.spec import Shape, Workload


def batch_order(seed: int, epoch: int, count: int) -> NDArray[np.int64]:
    """Return the permutation of `range(count)` in which an epoch goes through the data."""
    return stream("batch-order", seed, epoch).permutation(count).astype(np.int64)


def initial_parameters(
    workload: Workload, seed: int, dtype: DTypeLike = np.float32
) -> dict[str, Array]:
    """Draw Glorot uniform kernels and zero biases by canonical name, in the workload's order.

    They are drawn in float64 and rounded once, so that every dtype starts from the same numbers.
    """
    return {
        name: _initial(name, shape, seed).astype(dtype)
        for name, shape in workload.parameter_shapes().items()
    }


def _initial(name: str, shape: Shape, seed: int) -> NDArray[np.float64]:
    if name.endswith("/bias"):
        return np.zeros(shape)
    share = stream(f"parameters/{name}", seed).random_sample(shape)
    # 2 * share - 1 is exact, so only one rounding is left, the same in every build of NumPy;
    # uniform() may fuse its multiplication and addition
    return glorot_limit(shape) * (2 * share - 1)


def glorot_limit(shape: Shape) -> float:
    """Return sqrt(6 / (fan_in + fan_out)) of Glorot and Bengio 2010, equation 16.

    A kernel is `(in, out)` or `(height, width, in, out)`. The fans of a convolution count each
    weight of its receptive field, as in Keras and PyTorch.
    """
    receptive_field = math.prod(shape[:-2])
    return math.sqrt(6 / (receptive_field * (shape[-2] + shape[-1])))


def stream(purpose: str, seed: int, index: int = 0) -> np.random.RandomState:
    """Return the random numbers of one purpose, seed and epoch.

    All 256 bits of the hash seed them.
    """
    key = hashlib.sha256(f"samestep/{purpose}/{seed}/{index}".encode()).digest()
    return np.random.RandomState(np.frombuffer(key, dtype="<u4").astype(np.uint32))


def digest_of(arrays: Mapping[str, Array]) -> str:
    """Return the SHA-256 over names, dtypes, shapes and values, whatever the mapping's order."""
    digest = hashlib.sha256()
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        little = array.astype(array.dtype.newbyteorder("<"), copy=False)
        head = [name, little.dtype.str, arrays[name].shape]
        digest.update(json.dumps(head).encode() + b"\n")
        digest.update(little.reshape(-1).view(np.uint8).data)
    return digest.hexdigest()
