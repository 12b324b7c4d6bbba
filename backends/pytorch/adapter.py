"""PyTorch behind the protocols of `bench.adapter`: an eager step, written as in its tutorials.

Read it beside `backends/keras/adapter.py` to compare the two frameworks.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from backends.pytorch import data, machine, models, modes
from backends.pytorch.optimizers import MATH, KerasAdam, KerasRMSprop, reset
from bench.adapter import Array, Backend, Batch, Parameters, train_stretches
from bench.spec import CLASSES, Execution, LayerSummary, Workload


class PytorchProgram:
    """A workload as a module, its optimizer, and a step in the execution's mode."""

    def __init__(self, workload: Workload, execution: Execution) -> None:
        self._workload = workload
        self._device = torch.device(execution.device)
        self._dtype = machine.DTYPES[execution.precision]
        self._model = models.network(workload).to(self._device, self._dtype)
        self._flattened_shapes = models.flattened_shapes(workload)
        self._optimizer = MATH[execution.optimizer](
            workload.optimizer, self._model.parameters(), capturable=execution.mode != "default"
        )
        self._precision: Callable[[], AbstractContextManager[Any]] = nullcontext
        if execution.precision == "bfloat16":
            self._precision = partial(torch.autocast, self._device.type, dtype=torch.bfloat16)
        self._loss_sum = torch.zeros((), dtype=self._dtype, device=self._device)
        self._hits = torch.zeros((), dtype=torch.int64, device=self._device)
        self._seen = 0
        self._execution = execution
        self._update = modes.compile_step(self._eager_update, execution)
        self._step = modes.capture_step(self._single_step, execution, self._state)
        self._model.train()

    def _state(self) -> Iterator[torch.Tensor]:
        """Yield all tensors that a train step changes."""
        yield from self._model.parameters()
        for values in self._optimizer.state.values():
            yield from values.values()
        for group in self._optimizer.param_groups:
            yield from (group["step"],) if "step" in group else ()
        yield from (self._loss_sum, self._hits)

    def _canonical_parameters(self) -> dict[str, torch.nn.Parameter]:
        names = {"weight": "kernel", "bias": "bias"}
        parts = ((name.split("."), value) for name, value in self._model.named_parameters())
        return {f"{layer}/{names[kind]}": value for (layer, kind), value in parts}

    def layers(self) -> Sequence[LayerSummary]:
        return tuple(models.summary(self._model, self._workload))

    def load(self, parameters: Parameters, seed: int) -> None:
        torch.manual_seed(seed)
        with torch.no_grad():
            for name, parameter in self._canonical_parameters().items():
                image = self._flattened_shapes.get(name)
                parameter.copy_(models.from_canonical(parameters[name], image))
                parameter.grad = None
        reset(self._optimizer)
        self._reset_metrics()

    def parameters(self) -> dict[str, Array]:
        return {
            name: models.to_canonical(parameter, self._flattened_shapes.get(name))
            for name, parameter in self._canonical_parameters().items()
        }

    def put(self, batch: Batch) -> Any:
        images, labels = batch
        placed = self._to_device(data.image_tensor(images, self._dtype), self._targets(labels))
        self.synchronize()
        return placed

    def _targets(self, labels: Array) -> torch.Tensor:
        classes = torch.from_numpy(labels)
        if self._workload.labels == "integer":
            return classes
        # cross_entropy interprets floating-point targets as probabilities
        return functional.one_hot(classes, CLASSES).to(self._dtype)

    def _to_device(self, *tensors: torch.Tensor) -> tuple[torch.Tensor, ...]:
        return tuple(tensor.to(self._device) for tensor in tensors)

    def forward(self, batch: Any) -> Array:
        images, _ = batch
        self._model.eval()
        with torch.no_grad(), self._precision():
            logits = self._model(images)
        self._model.train()
        return np.asarray(logits.to(self._dtype).cpu().numpy())

    def gradients(self, batch: Any) -> tuple[float, dict[str, Array]]:
        images, labels = batch
        self._optimizer.zero_grad()
        with self._precision():
            loss = functional.cross_entropy(self._model(images), labels)
        loss.backward()
        gradients = {
            name: models.to_canonical(parameter.grad, self._flattened_shapes.get(name))
            for name, parameter in self._canonical_parameters().items()
            if parameter.grad is not None
        }
        self._optimizer.zero_grad()
        return loss.item(), gradients

    def train_step(self, batch: Any) -> None:
        images, labels = batch
        if self._execution.many_steps:
            size = self._execution.batch_size
            for batch_images, batch_labels in zip(
                images.split(size), labels.split(size), strict=True
            ):
                self._step(batch_images, batch_labels)
        else:
            self._step(images, labels)
        self._seen += len(labels)

    def _single_step(self, images: torch.Tensor, labels: torch.Tensor) -> None:
        # outside the compiled update, because Dynamo does not trace into it
        self._optimizer.zero_grad()
        self._update(images, labels)

    def _eager_update(self, images: torch.Tensor, labels: torch.Tensor) -> None:
        with self._precision():
            logits = self._model(images)
            loss = functional.cross_entropy(logits, labels)
        loss.backward()
        self._optimizer.step()
        # Keras' step updates running metrics, so this one does too
        self._loss_sum += loss.detach() * len(labels)
        classes = labels if labels.ndim == 1 else labels.argmax(dim=1)
        self._hits += (logits.detach().argmax(dim=1) == classes).sum()

    def take_metrics(self) -> tuple[float, float]:
        means = self._loss_sum.item() / self._seen, self._hits.item() / self._seen
        self._reset_metrics()
        return means

    def _reset_metrics(self) -> None:
        self._loss_sum.zero_()
        self._hits.zero_()
        self._seen = 0

    def fit(self, images: Array, labels: Array, batch_size: int) -> tuple[float, float]:
        self._reset_metrics()
        if self._execution.many_steps:
            train_stretches(self, images, labels, batch_size)
            return self.take_metrics()
        tensors = data.image_tensor(images, self._dtype), self._targets(labels)
        for batch in data.batches(*tensors, batch_size=batch_size):
            self.train_step(self._to_device(*batch))
        return self.take_metrics()

    def tutorial(self, folder: Path, images: Array, labels: Array, batch_size: int) -> None:
        for pictures, classes in data.tutorial_batches(folder, len(labels), batch_size):
            shaped = pictures if images.ndim == 4 else pictures.flatten(start_dim=1)
            self.train_step(self._to_device(shaped.to(self._dtype), classes))

    def evaluate(self, images: Array, labels: Array, batch_size: int) -> tuple[float, float]:
        logits = torch.from_numpy(self.predict(images, batch_size))
        classes = torch.from_numpy(labels)
        hits = (logits.argmax(dim=1) == classes).sum().item()
        return functional.cross_entropy(logits, classes).item(), hits / len(labels)

    def predict(self, images: Array, batch_size: int) -> NDArray[np.float32]:
        self._model.eval()
        with torch.no_grad(), self._precision():
            logits = [
                self._model(*self._to_device(*batch))
                for batch in data.batches(
                    data.image_tensor(images, self._dtype), batch_size=batch_size
                )
            ]
        self._model.train()
        return np.asarray(torch.cat(logits).to(self._dtype).cpu().numpy())

    def synchronize(self) -> None:
        machine.synchronize(self._device)

    def compilations(self) -> int:
        return modes.count_programs(self._step, self._execution)

    def peak_device_bytes(self) -> int | None:
        return machine.peak_bytes(self._device)

    def _precision_in_force(self, dtype: torch.dtype) -> str:
        if self._precision is not nullcontext:
            return "bfloat16"
        name = str(dtype).removeprefix("torch.")
        backends = torch.backends
        allowed = {backends.cuda.matmul.allow_tf32, backends.cudnn.allow_tf32}
        if self._device.type == "cpu" or name != "float32" or allowed == {False}:
            return name
        return "tf32" if allowed == {True} else "tf32 in part"

    def settings(self) -> dict[str, str | int | float | bool | None]:
        parameter = next(self._model.parameters())
        group = self._optimizer.param_groups[0]
        return {
            "device": str(parameter.device),
            "dtype": str(parameter.dtype).removeprefix("torch."),
            "precision": self._precision_in_force(parameter.dtype),
            "compiled": self.compilations() > 0 and modes.COMPILED[self._execution.mode],
            "programs": self.compilations(),
            "graph_breaks": modes.count_graph_breaks(self._execution),
            "tf32_matmul": torch.backends.cuda.matmul.allow_tf32,
            "tf32_convolution": torch.backends.cudnn.allow_tf32,
            "cudnn_benchmark": torch.backends.cudnn.benchmark,
            "onednn": torch.backends.mkldnn.is_available(),
            "threads_intra": torch.get_num_threads(),
            "threads_inter": torch.get_num_interop_threads(),
            "layout": "channels_first",
            "optimizer": type(self._optimizer).__name__,
            "optimizer_equations": (
                "keras" if isinstance(self._optimizer, KerasAdam | KerasRMSprop) else "framework"
            ),
            "optimizer_fused": bool(group.get("fused")),
            "optimizer_epsilon": group["eps"],
            "input_pipeline": "DataLoader(TensorDataset), 0 workers",
            "metrics_in_step": "loss, accuracy",
        }


class PytorchBackend:
    """PyTorch on the devices that it finds."""

    name = "pytorch"

    def versions(self) -> dict[str, str]:
        packages = {"torch": torch.__version__, "numpy": np.__version__}
        return {**packages, **machine.cuda_version(), **machine.cudnn_version()}

    def devices(self) -> tuple[str, ...]:
        return machine.devices()

    def architectures(self) -> tuple[str, ...] | None:
        return machine.architectures()

    def unsupported(self, workload: Workload, execution: Execution) -> str | None:
        if reason := modes.refusal(execution):
            return reason
        if execution.precision == "tf32" and execution.device == "cpu":
            return "TF32 is a format of NVIDIA's GPUs"
        return None

    def build(self, workload: Workload, execution: Execution) -> PytorchProgram:
        machine.select(execution)
        return PytorchProgram(workload, execution)

    def product(self, left: Array, right: Array, execution: Execution) -> Callable[[], object]:
        machine.select(execution)
        dtype, device = machine.product_dtype(execution), execution.device
        first, second = (
            torch.tensor(matrix, dtype=dtype, device=device) for matrix in (left, right)
        )
        return machine.product(first, second)

    def accumulate(self, count: int, execution: Execution) -> Callable[[], object]:
        machine.select(execution)
        dtype = machine.DTYPES[execution.precision]
        return machine.accumulate(torch.ones(count, dtype=dtype, device=execution.device))


def open_backend(name: str) -> Backend:
    return PytorchBackend()
