"""What a run calibrates the machine with: a product of matrices, and a sum over memory."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from bench.adapter import Array


class Queue:
    """What was dispatched last beside the programs; JAX waits for arrays, not for devices."""

    last: Any = None

    def put(self, value: Any) -> Any:
        self.last = value
        return value


def product(queue: Queue, left: Array, right: Array, dtype: str) -> Callable[[], object]:
    first, second = jnp.array(left, dtype), jnp.array(right, dtype)
    return lambda: queue.put(first @ second)


def accumulate(queue: Queue, count: int, dtype: str) -> Callable[[], object]:
    ones = jnp.ones(count, dtype)
    total = jnp.zeros_like(ones)
    added = jax.jit(jnp.add, donate_argnums=0)

    def add() -> object:
        nonlocal total
        total = added(total, ones)
        return queue.put(total)

    return add
