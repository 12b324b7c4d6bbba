"""The two protocols that a backend satisfies, and the rules that every backend obeys.

1. Parameters cross this border as NumPy arrays of the execution's dtype in one canonical form:
   names `dense_0/kernel`, `dense_0/bias`, `conv_0/kernel`, ...; dense kernels `(in, out)`, conv
   kernels `(height, width, in, out)`; what a Flatten hands on is in the order of NHWC.
2. Images are float32 in [0, 1], `(batch, *workload.input_shape)`; labels are int64 `(batch,)`,
   which the backend makes one-hot where `workload.labels` says so.
   In the mode `epoch` what `put` is given may be several whole batches of `execution.batch_size`,
   and `train_step` makes a step of each, in order, in one program.
3. No clocks and no statistics inside. Whoever times a call, synchronizes afterwards.
4. A setting that was requested and isn't in force is an error, or stands in `settings()`.
5. Every backend has the same files and the same order of methods, so that a diff of two adapters
   is a comparison of two frameworks.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from bench.spec import Execution, LayerSummary, Workload

Array: TypeAlias = NDArray[Any]
Batch: TypeAlias = tuple[Array, Array]
Parameters: TypeAlias = Mapping[str, Array]


def stretches(count: int, batch_size: int) -> list[slice]:
    """All whole batches of `count` images together, then the partial one: for the mode `epoch`."""
    whole = count // batch_size * batch_size
    found = [slice(0, whole), slice(whole, count)]
    return [one for one in found if one.stop > one.start]


class Program(Protocol):
    """One workload, built for one execution, with its parameters, optimizer and random state."""

    def layers(self) -> Sequence[LayerSummary]:
        """The layer table, shapes and counts read from the framework's own model."""

    def load(self, parameters: Parameters, seed: int) -> None:
        """Set the parameters and reset all else: optimizer, step count, metrics, random state."""

    def parameters(self) -> dict[str, Array]:
        """The current parameters, copied to the host, in the canonical form."""

    def put(self, batch: Batch) -> Any:
        """The batch on the device, in the framework's own form; synchronous."""

    def forward(self, batch: Any) -> Array:
        """Logits `(batch, 10)` in evaluation mode, on the host. `batch` comes from `put`."""

    def gradients(self, batch: Any) -> tuple[float, dict[str, Array]]:
        """Mean loss of the batch in training mode and its gradients, canonical; no update."""

    def train_step(self, batch: Any) -> None:
        """One update (in the mode `epoch` one for each batch); asynchronous.

        The running loss and accuracy are kept on the device.
        """

    def take_metrics(self) -> tuple[float, float]:
        """Size-weighted means of loss and accuracy over the train steps since the last call.

        Or since `load`. Starts anew, and waits for the device.
        """

    def fit(self, images: Array, labels: Array, batch_size: int) -> tuple[float, float]:
        """One epoch of the framework's own loop over host arrays, in the order given.

        Returns the size-weighted running means of loss and accuracy during the epoch. On a CPU and
        without dropout the weights are, bit for bit, those of `train_step` over the same batches.
        """

    def tutorial(self, folder: Path, images: Array, labels: Array, batch_size: int) -> None:
        """Train on `len(images)` images through the input pipeline that a newcomer writes.

        `folder` holds the same data as files (`MNIST/raw/*-ubyte`), for a framework whose
        tutorials read files. Raises `ImportError` where that pipeline is not installed.
        """

    def evaluate(self, images: Array, labels: Array, batch_size: int) -> tuple[float, float]:
        """Mean loss and accuracy over host arrays in evaluation mode, by the framework's means."""

    def predict(self, images: Array, batch_size: int) -> NDArray[np.float32]:
        """Logits `(len(images), 10)` on the host, by the framework's own loop over batches."""

    def synchronize(self) -> None:
        """Return when all work queued on the device is done."""

    def compilations(self) -> int:
        """How often the train step has been traced or compiled so far; 0 for an eager one."""

    def peak_device_bytes(self) -> int | None:
        """The framework's own peak of device memory so far; None where it keeps none."""

    def settings(self) -> dict[str, str | int | float | bool | None]:
        """What is really in force, read back: device of the tensors, dtype, compiled, threads..."""


class Backend(Protocol):
    """A framework, imported."""

    name: str

    def versions(self) -> dict[str, str]:
        """Package name to version, for everything that decides what is computed."""

    def devices(self) -> tuple[str, ...]:
        """What this installation can compute on: `cpu`, `cuda:0`, ..."""

    def architectures(self) -> tuple[str, ...] | None:
        """The GPU architectures that this build has kernels for; None where it does not tell.

        `sm_90` stands for machine code, `compute_90` for PTX. It is told also where there is no
        GPU, and asks none.
        """

    def unsupported(self, workload: Workload, execution: Execution) -> str | None:
        """Why this backend can't run the cell, or None where it can."""

    def build(self, workload: Workload, execution: Execution) -> Program:
        """A program ready for `load`, nothing compiled or run yet."""

    def product(self, left: Array, right: Array, execution: Execution) -> Callable[[], object]:
        """A call that multiplies these matrices on the execution's device, with its settings.

        They are copied there once, in its dtype. The call is asynchronous, and done when a
        program of this process has been synchronized; it returns the product, of whatever type.
        """

    def accumulate(self, count: int, execution: Execution) -> Callable[[], object]:
        """A call that adds 1 to each of `count` values: `y += x` over two arrays of the device.

        In place and without new memory: it reads twice and writes once. Asynchronous as
        `product` is; it returns the values, which are 0 at first.
        """
