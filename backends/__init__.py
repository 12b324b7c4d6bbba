"""Where each backend lives, as strings: importing this package imports no framework.

`adapter` is a module with `open_backend(name) -> bench.adapter.Backend`. `environment` names the
environment (the nox session) that holds its framework. `variables` are set for its worker, and
`cache_variable` names the one that tells where what is compiled is kept between processes.
`distribution` is the installed package that brought it; samestep fills it in for a plug-in.
"""

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from bench.spec import OURS, Place

__all__ = ["BACKENDS", "DEFAULT_BACKENDS", "OURS", "Place", "all_backends"]

# everything is kept, however quickly it was compiled
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
    """Ours, then those of the plug-ins that are installed beside us; read once in a process."""
    # a worker imports this package for its adapter, and looks for no plug-ins
    from backends.plugins import plugins  # noqa: PLC0415

    return MappingProxyType({**BACKENDS, **plugins()})
