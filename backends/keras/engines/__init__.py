"""Differences between Keras' engines: devices, the compiled step, gradients, synchronization.

There is one module per engine, which imports its framework: a process imports only one of them.
"""

import importlib
from abc import abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import keras

from bench.spec import Execution


class Engine(Protocol):
    """One of Keras' engines. The engines inherit from it the traits that they do not set."""

    # the setting without which a float64 program computes parts in float32
    float64_remedies: str
    # whether Keras casts a Python float to float64 through float32
    rounds_floats: bool = False
    # whether there is a setting for the number of threads
    sets_threads: bool = True
    # train steps per call of the compiled `fit`
    steps_per_execution: int = 1

    @property
    def missing_modes(self) -> Mapping[str, str]:
        """Map each mode that this engine does not have to the reason."""
        return {"graph": "CUDA graphs are captured in plain PyTorch alone"}

    @abstractmethod
    def versions(self) -> dict[str, str]:
        """Return versions by package name, without Keras itself."""

    @abstractmethod
    def devices(self) -> tuple[str, ...]:
        """Return `cpu`, `cuda:0`, ..."""

    @abstractmethod
    def architectures(self) -> tuple[str, ...] | None:
        """Return `sm_90`, `compute_90`, ..., as `bench.adapter.Backend.architectures`."""

    @abstractmethod
    def select(self, execution: Execution) -> None:
        """Set device, threads and TF32 for this process, before it makes arrays."""

    @abstractmethod
    def enable_float64(self) -> None:
        """Make float64 programs compute in float64 throughout, until this process ends."""

    @abstractmethod
    def put(self, value: Any) -> Any:
        """Return the array on the selected device."""

    @abstractmethod
    def step(self, model: keras.Sequential) -> Callable[[Any], Any]:
        """Return the train step that `fit` runs, without its loop and without a sync."""

    @abstractmethod
    def steps(self, model: keras.Sequential, batch_size: int) -> Callable[[Any], Any]:
        """Return a program that does one train step per whole batch in its input."""

    @abstractmethod
    def settle(self, step: Callable[[Any], Any]) -> None:
        """Copy the state of the step into the model's variables, if the step holds it."""

    @abstractmethod
    def gradients(self, model: keras.Sequential, images: Any, labels: Any) -> tuple[Any, list[Any]]:
        """Return loss and gradients in training mode, in the order of the trainable variables."""

    @abstractmethod
    def synchronize(self) -> None:
        """Wait for all work of the device."""

    @abstractmethod
    def compilations(self, step: Callable[[Any], Any]) -> int:
        """Count how often this train step has been traced so far."""

    @abstractmethod
    def peak_device_bytes(self) -> int | None:
        """Return the peak of device memory so far, or None if the framework does not count it."""

    @abstractmethod
    def settings(self, model: keras.Sequential) -> dict[str, str | int | float | bool | None]:
        """Return the settings that the framework reports: device, compiled, TF32, threads."""

    @abstractmethod
    def product(self, left: Any, right: Any) -> Callable[[], object]:
        """Return a function that multiplies two matrices from `put`; asynchronous."""

    @abstractmethod
    def accumulate(self, ones: Any) -> Callable[[], object]:
        """Return a function that adds `ones`, from `put`, in place to zeros; asynchronous."""


MODULES = {
    "tensorflow": "backends.keras.engines.tensorflow",
    "torch": "backends.keras.engines.torch",
    "jax": "backends.keras.engines.jax",
}


def open_engine(name: str) -> Engine:
    """Return the engine with Keras' name for it, and import its framework."""
    engine: Engine = importlib.import_module(MODULES[name]).open_engine()
    return engine
