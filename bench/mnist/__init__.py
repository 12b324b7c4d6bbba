"""The embedded MNIST: its archives, their hashes, the loader; batch orders, initial parameters.

It needs only the standard library and NumPy, because workers import it too.
"""

from bench.mnist.arrays import Mnist, data_digest, load, scaled
from bench.mnist.cache import cache_folder, raw_folder
from bench.mnist.draws import batch_order, digest_of, initial_parameters, stream

__all__ = [
    "Mnist",
    "batch_order",
    "cache_folder",
    "data_digest",
    "digest_of",
    "initial_parameters",
    "load",
    "raw_folder",
    "scaled",
    "stream",
]
