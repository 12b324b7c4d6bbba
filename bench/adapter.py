"""The two protocols that a backend satisfies, and the rules that every backend obeys.

1. Parameters cross this border as NumPy arrays of the execution's dtype in one canonical form:
   names `dense_0/kernel`, `dense_0/bias`, `conv_0/kernel`, ...; dense kernels `(in, out)`, conv
   kernels `(height, width, in, out)`; the output of a Flatten is in the order of NHWC.
2. Images are float32 in [0, 1], `(batch, *workload.input_shape)`; labels are int64 `(batch,)`. The
   backend makes labels one-hot if `workload.labels` says so.
   In the mode `epoch` the batch given to `put` may be several whole batches of
   `execution.batch_size`; `train_step` makes one step per batch, in order, in one program.
3. No clocks and no statistics inside. The caller synchronizes before it reads a clock.
4. A requested setting that is not in effect is an error, or is reported by `settings()`.
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
    """List the slices of `count` images for the mode `epoch`.

    The first slice holds all whole batches, the second the partial batch; empty slices are left
    out.
    """
    whole = count // batch_size * batch_size
    slices = (slice(0, whole), slice(whole, count))
    return [part for part in slices if part.stop > part.start]


def train_stretches(program: "Program", images: Array, labels: Array, batch_size: int) -> None:
    """Train on all whole batches in one call of `train_step`, and on the partial one in another."""
    for chosen in stretches(len(labels), batch_size):
        program.train_step(program.put((images[chosen], labels[chosen])))


class Program(Protocol):
    """One workload, built for one execution, with its parameters, optimizer and random state."""

    def layers(self) -> Sequence[LayerSummary]:
        """Return the layer table; shapes and counts are read from the framework's own model."""

    def load(self, parameters: Parameters, seed: int) -> None:
        """Set the parameters and reset all else: optimizer, step count, metrics, random state."""

    def parameters(self) -> dict[str, Array]:
        """Return the current parameters, copied to the host, in the canonical form."""

    def put(self, batch: Batch) -> Any:
        """Copy the batch to the device and return it in the framework's own form; synchronous."""

    def forward(self, batch: Any) -> Array:
        """Return logits `(batch, 10)` in evaluation mode, on the host. `batch` comes from `put`."""

    def gradients(self, batch: Any) -> tuple[float, dict[str, Array]]:
        """Return the batch's mean loss in training mode and its gradients, canonical; no update."""

    def train_step(self, batch: Any) -> None:
        """Make one update, or in the mode `epoch` one per batch; asynchronous.

        The running loss and accuracy are kept on the device.
        """

    def take_metrics(self) -> tuple[float, float]:
        """Return the means of loss and accuracy over the train steps since the last call or `load`.

        The means are weighted by batch size. The call waits for the device and starts new means.
        """

    def fit(self, images: Array, labels: Array, batch_size: int) -> tuple[float, float]:
        """Train one epoch by the framework's own loop over host arrays, in the order given.

        Returns the running means of loss and accuracy during the epoch, weighted by batch size. On
        a CPU and without dropout the weights are, bit for bit, those of `train_step` over the same
        batches.
        """

    def tutorial(self, folder: Path, images: Array, labels: Array, batch_size: int) -> None:
        """Train on `len(images)` images through the input pipeline that a newcomer writes.

        `folder` holds the same data as files (`MNIST/raw/*-ubyte`), for a framework whose tutorials
        read files. Raises `ImportError` if that pipeline is not installed.
        """

    def evaluate(self, images: Array, labels: Array, batch_size: int) -> tuple[float, float]:
        """Return mean loss and accuracy over host arrays in evaluation mode.

        The framework computes both, by the means that its users have.
        """

    def predict(self, images: Array, batch_size: int) -> NDArray[np.float32]:
        """Return logits `(len(images), 10)` on the host, by the framework's own batch loop."""

    def synchronize(self) -> None:
        """Wait until all work queued on the device is done."""

    def compilations(self) -> int:
        """Return how often the train step has been traced or compiled; 0 if it runs eagerly."""

    def peak_device_bytes(self) -> int | None:
        """Return the framework's own peak of device memory so far; None if it keeps no count."""

    def settings(self) -> dict[str, str | int | float | bool | None]:
        """Return the settings in effect, as read back.

        Among them are the device of the tensors, the dtype, whether the step is compiled, and
        threads.
        """


class Backend(Protocol):
    """A framework, imported."""

    name: str

    def versions(self) -> dict[str, str]:
        """Return versions by package name, for every package that decides what is computed."""

    def devices(self) -> tuple[str, ...]:
        """Return what this installation can compute on: `cpu`, `cuda:0`, ..."""

    def architectures(self) -> tuple[str, ...] | None:
        """Return the GPU architectures that this build has kernels for; None if it does not say.

        `sm_90` stands for machine code, `compute_90` for PTX. The call asks no GPU and also works
        on a machine that has none.
        """

    def unsupported(self, workload: Workload, execution: Execution) -> str | None:
        """Return why this backend can't run the cell; None if it can."""

    def build(self, workload: Workload, execution: Execution) -> Program:
        """Return a program ready for `load`; nothing is compiled or run yet."""

    def product(self, left: Array, right: Array, execution: Execution) -> Callable[[], object]:
        """Return a call that multiplies the matrices on the execution's device, with its settings.

        The matrices are copied to the device once, in the execution's dtype. The call is
        asynchronous: it is done when a program of this process has been synchronized. It returns
        the product, in any type.
        """

    def accumulate(self, count: int, execution: Execution) -> Callable[[], object]:
        """Return a call that adds 1 to each of `count` values: `y += x` over two device arrays.

        It works in place, without new memory: two reads and one write per value. It is asynchronous
        like `product` and returns the values, which start at 0.
        """
