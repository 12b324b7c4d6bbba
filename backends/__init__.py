"""Where each backend lives, as strings: importing this package imports no framework.

`adapter` is a module with `open_backend(name) -> bench.adapter.Backend`. `environment` names the
environment (the nox session) that holds its framework. `variables` are set for its worker.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    adapter: str
    environment: str
    variables: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


BACKENDS: Mapping[str, Place] = {
    "keras-tensorflow": Place(
        adapter="backends.keras.adapter",
        environment="tensorflow",
        variables={"KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "2"},
    ),
    "keras-jax": Place(
        adapter="backends.keras.adapter", environment="jax", variables={"KERAS_BACKEND": "jax"}
    ),
    "keras-torch": Place(
        adapter="backends.keras.adapter",
        environment="pytorch",
        variables={"KERAS_BACKEND": "torch"},
    ),
    "pytorch": Place(adapter="backends.pytorch.adapter", environment="pytorch"),
    "jax": Place(adapter="backends.jax.adapter", environment="jax"),
}

DEFAULT_BACKENDS = ("keras-tensorflow", "pytorch")
