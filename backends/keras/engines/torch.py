"""Keras on PyTorch: an eager step, or one that `torch.compile` compiles."""

import importlib
from collections.abc import Callable
from typing import Any

import keras
import torch

from backends.keras.engines import Engine
from backends.pytorch import machine
from bench.spec import Execution


class CompiledStep:
    """The train step as Keras' `fit` compiles it."""

    def __init__(self, model: keras.Sequential) -> None:
        machine.raise_recompile_limit()
        self._model = model
        self._built = False
        self._step = torch.compile(model.train_step)

    def __call__(self, batch: Any) -> None:
        if not self._built:
            # as `fit` does, because Dynamo can't trace the building of a loss
            self._model._symbolic_build(data_batch=batch)
            self._built = True
        self._step(batch)


class TorchEngine(Engine):
    """Keras on PyTorch."""

    float64_remedies = "Keras' table that halves 64-bit types changed to keep float64"

    def __init__(self) -> None:
        self._device = torch.device("cpu")

    @property
    def missing_modes(self) -> dict[str, str]:
        """Map each mode that this engine does not have to the reason."""
        reasons = {
            **super().missing_modes,
            "epoch": "Keras on PyTorch has no program of more than one step",
        }
        if reason := machine.missing_compiler():
            reasons["compiled"] = reason
        return reasons

    def versions(self) -> dict[str, str]:
        return {"torch": torch.__version__, **machine.cuda_version()}

    def devices(self) -> tuple[str, ...]:
        return machine.devices()

    def architectures(self) -> tuple[str, ...] | None:
        return machine.architectures()

    def select(self, execution: Execution) -> None:
        machine.select(execution)
        # never exited: a process has one device
        keras.device(execution.device).__enter__()
        self._device = torch.device(execution.device)

    def enable_float64(self) -> None:
        # otherwise Keras computes in float32 and returns float64
        dtypes = importlib.import_module("keras.src.backend.common.dtypes")
        dtypes.BIT64_TO_BIT32_DTYPE["float64"] = "float64"

    def put(self, value: Any) -> Any:
        return torch.as_tensor(value).to(self._device)

    def step(self, model: keras.Sequential) -> Callable[[Any], Any]:
        step: Callable[[Any], Any] = model.train_step
        return CompiledStep(model) if model.jit_compile else step

    def steps(self, model: keras.Sequential, batch_size: int) -> Callable[[Any], Any]:
        raise NotImplementedError(self.missing_modes["epoch"])

    def settle(self, step: Callable[[Any], Any]) -> None:
        """Do nothing: the step updates the model's variables."""

    def gradients(self, model: keras.Sequential, images: Any, labels: Any) -> tuple[Any, list[Any]]:
        model.zero_grad()
        loss = model.compute_loss(x=images, y=labels, y_pred=model(images, training=True))
        loss.backward()
        gradients = [variable.value.grad.clone() for variable in model.trainable_variables]
        model.zero_grad()
        return loss.detach(), gradients

    def synchronize(self) -> None:
        machine.synchronize(self._device)

    def compilations(self, step: Callable[[Any], Any]) -> int:
        return machine.count_compiled_graphs() if isinstance(step, CompiledStep) else 0

    def peak_device_bytes(self) -> int | None:
        return machine.peak_bytes(self._device)

    def settings(self, model: keras.Sequential) -> dict[str, str | int | float | bool | None]:
        return {
            "device": str(model.trainable_variables[0].value.device),
            "compiled": "inductor" if model.jit_compile else False,
            "graph_breaks": machine.count_graph_breaks() if model.jit_compile else 0,
            "tf32_matmul": torch.backends.cuda.matmul.allow_tf32,
            "tf32_convolution": torch.backends.cudnn.allow_tf32,
            "threads_intra": torch.get_num_threads(),
            "threads_inter": torch.get_num_interop_threads(),
        }

    def product(self, left: Any, right: Any) -> Callable[[], object]:
        return machine.product(left, right)

    def accumulate(self, ones: Any) -> Callable[[], object]:
        return machine.accumulate(ones)


def open_engine() -> Engine:
    return TorchEngine()
