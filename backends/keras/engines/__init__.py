"""What differs between Keras' engines: devices, the compiled step, gradients, synchronization.

Each engine has a module of its own, which imports its framework: a process holds one of them.
"""

import importlib
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import keras

from bench.spec import Execution


class Engine(Protocol):
    # what a float64 program needs so as not to compute some of it in float32
    float64_remedies: str
    # whether a Python float goes through float32 on its way to float64
    rounds_floats: bool
    # whether a number of threads can be asked for
    sets_threads: bool
    # train steps that the compiled `fit` makes in one call
    steps_per_execution: int

    @property
    def lacks(self) -> Mapping[str, str]:
        """Mode to why this engine has none such; the modes it has are not named."""

    def versions(self) -> dict[str, str]:
        """Package name to version, Keras itself left out."""

    def devices(self) -> tuple[str, ...]:
        """`cpu`, `cuda:0`, ..."""

    def architectures(self) -> tuple[str, ...] | None:
        """`sm_90`, `compute_90`, ..., as `bench.adapter.Backend` has it."""

    def select(self, execution: Execution) -> None:
        """Make device, threads and TF32 those of this process; before anything else is made."""

    def widen(self) -> None:
        """Make this process compute in float64 where it says so, for good."""

    def put(self, value: Any) -> Any:
        """The array on the selected device."""

    def step(self, model: keras.Sequential) -> Callable[[Any], Any]:
        """The train step that `fit` runs, without its loop and without a sync."""

    def steps(self, model: keras.Sequential, batch_size: int) -> Callable[[Any], Any]:
        """A train step for each of the whole batches that it is given, in one program."""

    def settle(self, step: Callable[[Any], Any]) -> None:
        """Bring what the step has done into the model's variables, where it is not there yet."""

    def gradients(self, model: keras.Sequential, images: Any, labels: Any) -> tuple[Any, list[Any]]:
        """Loss in training mode and its gradients, in the order of the trainable variables."""

    def synchronize(self) -> None: ...

    def compilations(self, step: Callable[[Any], Any]) -> int:
        """How often this train step has been traced so far."""

    def peak_device_bytes(self) -> int | None: ...

    def settings(self, model: keras.Sequential) -> dict[str, str | int | float | bool | None]: ...

    def product(self, left: Any, right: Any) -> Callable[[], object]:
        """A call that multiplies two matrices that `put` gave; asynchronous."""

    def accumulate(self, ones: Any) -> Callable[[], object]:
        """A call that adds `ones`, which `put` gave, in place to as many zeros; asynchronous."""


MODULES = {
    "tensorflow": "backends.keras.engines.tensorflow",
    "torch": "backends.keras.engines.torch",
    "jax": "backends.keras.engines.jax",
}


def open_engine(name: str) -> Engine:
    """The engine that Keras runs on in this process."""
    engine: Engine = importlib.import_module(MODULES[name]).open_engine()
    return engine
