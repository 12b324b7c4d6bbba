"""Bugs that people really write, planted in a backend, and the rung that must catch each.

`plants(family)` gives those of a framework's adapter. A plant changes the backend by means of a
`pytest.MonkeyPatch`, so that it is gone after the test.
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
    """One bug: where it shows (`rung`), and a part of what the failure must say (`where`)."""

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
    """The rungs from the first to the last, or to the one that fails; `how` as in Execution."""
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
