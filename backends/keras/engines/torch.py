"""Keras on torch: an eager step."""

import importlib
from collections.abc import Callable
from typing import Any

import keras
import torch

from backends.keras.engines import Engine
from backends.pytorch import machine
from bench.spec import Execution

MOST_RECOMPILES = 128


class CompiledStep:
    """The train step as Keras' `fit` compiles it."""

    def __init__(self, model: keras.Sequential) -> None:
        # past the limit of programs for one function Dynamo would go on without compiling
        torch._dynamo.config.recompile_limit = MOST_RECOMPILES
        self._model = model
        self._built = False
        self._step = torch.compile(model.train_step)

    def __call__(self, batch: Any) -> None:
        if not self._built:
            # as `fit` does: Dynamo can't trace how a loss is built
            self._model._symbolic_build(data_batch=batch)
            self._built = True
        self._step(batch)


class TorchEngine:
    float64_remedies = "Keras' table that halves 64-bit types changed to keep float64"
    rounds_floats = False
    sets_threads = True
    steps_per_execution = 1

    def __init__(self) -> None:
        self._device = torch.device("cpu")

    @property
    def lacks(self) -> dict[str, str]:
        found = {
            "graph": "CUDA graphs are captured in plain PyTorch alone",
            "epoch": "Keras on PyTorch has no program of more than one step",
        }
        if reason := machine.missing_compiler():
            found["compiled"] = reason
        return found

    def versions(self) -> dict[str, str]:
        return {"torch": torch.__version__, **machine.cuda_version()}

    def devices(self) -> tuple[str, ...]:
        return machine.devices()

    def architectures(self) -> tuple[str, ...] | None:
        return machine.architectures()

    def select(self, execution: Execution) -> None:
        machine.select(execution)
        # entered for good: the process has one device
        keras.device(execution.device).__enter__()
        self._device = torch.device(execution.device)

    def widen(self) -> None:
        # without it Keras computes in float32 and hands out float64
        dtypes = importlib.import_module("keras.src.backend.common.dtypes")
        dtypes.BIT64_TO_BIT32_DTYPE["float64"] = "float64"

    def put(self, value: Any) -> Any:
        return torch.as_tensor(value).to(self._device)

    def step(self, model: keras.Sequential) -> Callable[[Any], Any]:
        step: Callable[[Any], Any] = model.train_step
        return CompiledStep(model) if model.jit_compile else step

    def steps(self, model: keras.Sequential, batch_size: int) -> Callable[[Any], Any]:
        raise NotImplementedError(self.lacks["epoch"])

    def settle(self, step: Callable[[Any], Any]) -> None:
        """Nothing to do: the step works on the model's variables."""

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
        if not isinstance(step, CompiledStep):
            return 0
        return int(torch._dynamo.utils.counters["stats"]["unique_graphs"])

    def peak_device_bytes(self) -> int | None:
        return machine.peak_bytes(self._device)

    def settings(self, model: keras.Sequential) -> dict[str, str | int | float | bool | None]:
        return {
            "device": str(model.trainable_variables[0].value.device),
            "compiled": "inductor" if model.jit_compile else False,
            "graph_breaks": graph_breaks() if model.jit_compile else 0,
            "tf32_matmul": torch.backends.cuda.matmul.allow_tf32,
            "tf32_convolution": torch.backends.cudnn.allow_tf32,
            "threads_intra": torch.get_num_threads(),
            "threads_inter": torch.get_num_interop_threads(),
        }

    def product(self, left: Any, right: Any) -> Callable[[], object]:
        return machine.product(left, right)

    def accumulate(self, ones: Any) -> Callable[[], object]:
        return machine.accumulate(ones)


def graph_breaks() -> int:
    return sum(torch._dynamo.utils.counters["graph_break"].values())


def open_engine() -> Engine:
    return TorchEngine()
