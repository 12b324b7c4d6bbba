"""PyTorch in this process: its devices, versions and precision, and what calibrates a machine.

It serves plain PyTorch, and Keras on PyTorch.
"""

import shutil
from collections.abc import Callable

import torch

from bench.spec import Execution

# of parameters and optimizer; `bfloat16` is mixed: products alone are computed in it
DTYPES = {
    "float32": torch.float32,
    "tf32": torch.float32,
    "bfloat16": torch.float32,
    "float64": torch.float64,
}
COMPILERS = ("g++", "clang++", "c++")


def cuda_version() -> dict[str, str]:
    """Return the version of CUDA that this build is made for, if it is made for one."""
    return {} if torch.version.cuda is None else {"cuda": str(torch.version.cuda)}


def cudnn_version() -> dict[str, str]:
    version = torch.backends.cudnn.version()
    return {} if version is None else {"cudnn": str(version)}


def devices() -> tuple[str, ...]:
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    return ("cpu", *(f"cuda:{index}" for index in range(count)))


def architectures() -> tuple[str, ...] | None:
    # torch.cuda.get_arch_list is empty without a GPU; a CPU build has no such flags
    flags = getattr(torch._C, "_cuda_getArchFlags", lambda: None)()
    return tuple(flags.split()) if flags else None


def missing_compiler() -> str | None:
    """Return why `torch.compile` can't compile on this machine, or None if it can."""
    if any(map(shutil.which, COMPILERS)):
        return None
    return f"torch.compile needs a C++ compiler: none of {', '.join(COMPILERS)}"


def select(execution: Execution) -> None:
    """Make the execution's precision and threads those of this process."""
    torch.backends.cuda.matmul.allow_tf32 = execution.precision == "tf32"
    torch.backends.cudnn.allow_tf32 = execution.precision == "tf32"
    if execution.threads is not None:
        torch.set_num_threads(execution.threads)


def synchronize(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def peak_bytes(device: torch.device) -> int | None:
    """Return the peak of the device's memory so far, or None for a CPU."""
    return int(torch.cuda.max_memory_allocated(device)) if device.type == "cuda" else None


def product_dtype(execution: Execution) -> torch.dtype:
    return torch.bfloat16 if execution.precision == "bfloat16" else DTYPES[execution.precision]


def product(left: torch.Tensor, right: torch.Tensor) -> Callable[[], object]:
    """Return a call that multiplies two matrices of the device; asynchronous."""
    into = left.new_empty(len(left), right.shape[1])
    return lambda: torch.mm(left, right, out=into)


def accumulate(ones: torch.Tensor) -> Callable[[], object]:
    """Return a call that adds `ones`, a tensor of the device, to as many zeros; asynchronous."""
    total = torch.zeros_like(ones)
    return lambda: total.add_(ones)
