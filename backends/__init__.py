"""The place of each backend, as strings: importing this package imports no framework.

A `Place` has these fields:

- `adapter`: a module with `open_backend(name) -> bench.adapter.Backend`;
- `environment`: the environment (the nox session) in which its framework is installed;
- `variables`: environment variables that are set for its worker;
- `cache_variable`: the environment variable for the folder of its compiler's cache;
- `distribution`: the installed package that provides it; samestep fills it in for a plug-in.
"""

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from bench.spec import OURS, Place

__all__ = ["BACKENDS", "DEFAULT_BACKENDS", "OURS", "Place", "all_backends"]

# keep every program, also those that compile quickly or are small
JAX_CACHE = {
    "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
    "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
}


BACKENDS: Mapping[str, Place] = {
    "keras-tensorflow": Place(
        adapter="backends.keras.adapter",
        environment="tensorflow",
        variables={"KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "2"},
    ),
    "keras-jax": Place(
        adapter="backends.keras.adapter",
        environment="jax",
        variables={"KERAS_BACKEND": "jax", **JAX_CACHE},
        cache_variable="JAX_COMPILATION_CACHE_DIR",
    ),
    "keras-torch": Place(
        adapter="backends.keras.adapter",
        environment="pytorch",
        variables={"KERAS_BACKEND": "torch"},
        cache_variable="TORCHINDUCTOR_CACHE_DIR",
    ),
    "pytorch": Place(
        adapter="backends.pytorch.adapter",
        environment="pytorch",
        cache_variable="TORCHINDUCTOR_CACHE_DIR",
    ),
    "jax": Place(
        adapter="backends.jax.adapter",
        environment="jax",
        variables=JAX_CACHE,
        cache_variable="JAX_COMPILATION_CACHE_DIR",
    ),
}

DEFAULT_BACKENDS = ("keras-tensorflow", "pytorch")


@cache
def all_backends() -> Mapping[str, Place]:
    """Return the places of samestep's backends, then those of plug-ins; read once per process."""
    # a worker imports this package for its adapter, and needs no plug-ins
    from backends.plugins import plugins  # noqa: PLC0415

    return MappingProxyType({**BACKENDS, **plugins()})
