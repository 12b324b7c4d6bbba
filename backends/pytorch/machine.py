"""PyTorch in this process: devices, versions, precision, Dynamo, and calibrating work.

Both plain PyTorch and Keras on PyTorch use it.
"""

import shutil
from collections.abc import Callable

import torch

from bench.spec import Execution

# dtype of parameters and optimizer per precision; `bfloat16` is mixed: only products use it
DTYPES = {
    "float32": torch.float32,
    "tf32": torch.float32,
    "bfloat16": torch.float32,
    "float64": torch.float64,
}
COMPILERS = ("g++", "clang++", "c++")
# a pilot compiles every workload in two shapes in one process
MOST_RECOMPILES = 128


def cuda_version() -> dict[str, str]:
    """Return the version of CUDA that this build is made for; empty for a CPU build."""
    return {} if torch.version.cuda is None else {"cuda": str(torch.version.cuda)}


def cudnn_version() -> dict[str, str]:
    version = torch.backends.cudnn.version()
    return {} if version is None else {"cudnn": str(version)}


def devices() -> tuple[str, ...]:
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    return ("cpu", *(f"cuda:{index}" for index in range(count)))


def architectures() -> tuple[str, ...] | None:
    # torch.cuda.get_arch_list is empty without a GPU; a CPU build does not have these flags
    flags = getattr(torch._C, "_cuda_getArchFlags", lambda: None)()
    return tuple(flags.split()) if flags else None


def missing_compiler() -> str | None:
    """Return why `torch.compile` can't compile on this machine, or None if it can."""
    if any(map(shutil.which, COMPILERS)):
        return None
    return f"torch.compile needs a C++ compiler: none of {', '.join(COMPILERS)}"


def select(execution: Execution) -> None:
    """Set the execution's precision and number of threads for this process."""
    torch.backends.cuda.matmul.allow_tf32 = execution.precision == "tf32"
    torch.backends.cudnn.allow_tf32 = execution.precision == "tf32"
    if execution.threads is not None:
        torch.set_num_threads(execution.threads)


def synchronize(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def peak_bytes(device: torch.device) -> int | None:
    """Return the peak of allocated memory so far in bytes, or None for a CPU."""
    return int(torch.cuda.max_memory_allocated(device)) if device.type == "cuda" else None


def raise_recompile_limit() -> None:
    """Let Dynamo compile up to `MOST_RECOMPILES` programs per function.

    Past its limit it would continue without compiling, and report nothing.
    """
    torch._dynamo.config.recompile_limit = MOST_RECOMPILES


def count_compiled_graphs() -> int:
    """Count the graphs that Dynamo has compiled in this process so far."""
    return int(torch._dynamo.utils.counters["stats"]["unique_graphs"])


def count_graph_breaks() -> int:
    """Count the graph breaks that Dynamo has met in this process so far."""
    return sum(torch._dynamo.utils.counters["graph_break"].values())


def product_dtype(execution: Execution) -> torch.dtype:
    return torch.bfloat16 if execution.precision == "bfloat16" else DTYPES[execution.precision]


def product(left: torch.Tensor, right: torch.Tensor) -> Callable[[], object]:
    """Return a function that multiplies two matrices of the device; asynchronous."""
    result = left.new_empty(len(left), right.shape[1])
    return lambda: torch.mm(left, right, out=result)


def accumulate(ones: torch.Tensor) -> Callable[[], object]:
    """Return a function that adds `ones`, a tensor of the device, to as many zeros.

    It adds in place; asynchronous.
    """
    total = torch.zeros_like(ones)
    return lambda: total.add_(ones)
