"""JAX in this process: its devices, versions and precision, and work that calibrates a machine.

Both plain JAX and Keras on JAX use it.
"""

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import jax
import jax.numpy as jnp
import jaxlib

from bench.spec import Execution

# dtype of parameters and optimizer per precision; `bfloat16` is mixed: only the network uses it
DTYPES = {"float32": "float32", "tf32": "float32", "bfloat16": "float32", "float64": "float64"}


class Queue:
    """The last array of the calibrating work, which `wait` waits for.

    JAX can wait for an array, but not for a device.
    """

    def __init__(self) -> None:
        self._last: object = None

    def put(self, value: Any) -> Any:
        self._last = value
        return value

    def wait(self) -> None:
        jax.block_until_ready(self._last)


def versions() -> dict[str, str]:
    return {"jax": jax.__version__, "jaxlib": jaxlib.__version__}


def cuda_version() -> dict[str, str]:
    """Return the major version of CUDA that JAX's GPU plug-in is built for; empty without one."""
    majors = [major for major in ("13", "12") if find_spec(f"jax_cuda{major}_plugin") is not None]
    return {"cuda": majors[0]} if majors else {}


def devices() -> tuple[str, ...]:
    return ("cpu", *map(device_name, gpus()))


def gpus() -> list[Any]:
    try:
        return list(jax.devices("cuda"))
    except RuntimeError:
        return []


def device_name(device: Any) -> str:
    return "cpu" if device.platform == "cpu" else f"cuda:{device.id}"


def find_device(name: str) -> Any:
    candidates = [jax.devices("cpu")[0], *gpus()]
    return next(device for device in candidates if device_name(device) == name)


def select(execution: Execution) -> None:
    """Set the execution's device, and on a GPU its precision, for this process."""
    jax.config.update("jax_default_device", find_device(execution.device))
    if execution.device != "cpu":
        # by default XLA multiplies float32 in TF32 on a GPU
        products = "tensorfloat32" if execution.precision == "tf32" else "highest"
        jax.config.update("jax_default_matmul_precision", products)


def allows_tf32(device: Any) -> bool:
    on_cpu = device.platform == "cpu"
    return not on_cpu and bool(jax.config.jax_default_matmul_precision != "highest")


def peak_bytes(device: Any) -> int | None:
    """Return the peak of used memory so far in bytes, or None if JAX does not count it."""
    peak: int | None = (device.memory_stats() or {}).get("peak_bytes_in_use")
    return peak


def product_dtype(execution: Execution) -> str:
    return "bfloat16" if execution.precision == "bfloat16" else DTYPES[execution.precision]


def product(queue: Queue, left: Any, right: Any) -> Callable[[], object]:
    """Return a function that multiplies two matrices of the device; asynchronous."""
    multiply = jax.jit(jnp.matmul)
    return lambda: queue.put(multiply(left, right))


def accumulate(queue: Queue, ones: Any) -> Callable[[], object]:
    """Return a function that adds `ones`, an array of the device, to as many zeros; asynchronous.

    It adds in place: the sum takes the memory of the previous sum.
    """
    total = jnp.zeros_like(ones)
    add_in_place = jax.jit(jnp.add, donate_argnums=0)

    def add() -> object:
        nonlocal total
        total = add_in_place(total, ones)
        return queue.put(total)

    return add
