"""Realistic bugs that are planted in a backend, and the rung that must detect each.

`plants(backend)` returns the bugs for a framework's adapter. A plant changes the backend with a
`pytest.MonkeyPatch`, which removes the bug after the test.
"""

import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pytest

from bench.adapter import Backend, Program
from bench.mnist import Mnist
from bench.parity.ladder import Ladder
from bench.parity.rungs import Rung
from bench.spec import Execution, ParityPlan, Workload

FAMILIES = {
    "keras-tensorflow": "keras",
    "keras-jax": "keras",
    "keras-torch": "keras",
    "pytorch": "pytorch",
    "jax": "jax",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Plant:
    """A bug, the `rung` that must detect it, and a part of the failure's text (`where`)."""

    name: str
    workload: Workload
    rung: str
    where: str
    plant: Callable[[pytest.MonkeyPatch], None]
    precision: str = "float32"


def plants(backend: str) -> Sequence[Plant]:
    module = importlib.import_module(f"tests.conformance.planted.{FAMILIES[backend]}")
    return tuple(module.PLANTS)


def climb(
    backend: Backend,
    data: Mnist,
    workload: Workload,
    precision: str,
    seed: int = 0,
    **how: str,
) -> list[Rung]:
    """Return the rungs up to the first that fails; `how` are further fields of Execution."""
    size = workload.batch_size
    execution = Execution(device="cpu", batch_size=size, precision=precision, **how)

    def build(variant: Workload) -> Program:
        return backend.build(variant, execution)

    ladder = Ladder(build, workload, execution, data, seed)
    plan = ParityPlan(precision=precision, steps=10, twin_steps=0 if precision == "float64" else 20)
    rungs = []
    for rung in ladder.climb(build(workload), plan):
        rungs.append(rung)
        if not rung.passed:
            break
    return rungs
