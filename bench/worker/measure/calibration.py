"""What a backend attains on this machine if arithmetic, memory or dispatch alone counts.

It is the roof over a run's cells: measured in that run and through the framework that is timed, so
that utilization needs no datasheet. The worker sends calls and seconds; the parent computes rates.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from bench.adapter import Backend, Program
from bench.spec import Cell, Dense, Execution
from bench.spec.work import VALUE_BYTES
from bench.worker.measure import Clock
from bench.worker.messages import AccumulateRepeats, Attained, ProductRepeats, Repeats
from bench.workloads import WORKLOADS

# rows, inner, columns: (rows, inner) @ (inner, columns)
ProductShape: TypeAlias = tuple[int, int, int]
Call: TypeAlias = Callable[[], object]

LARGE: ProductShape = (2048, 2048, 2048)
# Two such arrays are 4 times the last-level cache of common CPUs (32 MiB) and 10 times that of
# large GPUs (50 MiB): STREAM (McCalpin 1995) asks for 4 times. The report names the size.
STREAM_BYTES = {"cpu": 64 * 2**20, "cuda": 256 * 2**20}
# reading the clock and waiting for the device vanish in it
SHORTEST_BATCH_SECONDS = 0.005
SHORTEST_REPEAT_SECONDS = 0.05
# the products of five workloads are many, and several short repeats say more than a long one
SHORTEST_DENSE_SECONDS = 0.02
FEWEST_REPEATS, MOST_REPEATS = 2, 5
BUDGET_SECONDS = 2.4


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopwatch:
    """Times calls of one device: waits for it before and after."""

    synchronize: Callable[[], None]
    clock: Clock

    def seconds(self, call: Call, calls: int) -> float:
        """Return the seconds of `calls` calls."""
        self.synchronize()
        started = self.clock()
        for _ in range(calls):
            call()
        self.synchronize()
        return self.clock() - started

    def batch(self, call: Call) -> int:
        """Return how many calls to make between two synchronizations, a power of two."""
        # the first call also loads libraries and touches new memory
        self.seconds(call, 1)
        calls = 1
        while self.seconds(call, calls) < SHORTEST_BATCH_SECONDS:
            calls *= 2
        return calls

    def repeat(self, call: Call, batch: int, shortest_seconds: float) -> tuple[int, float]:
        """Return the calls made and the seconds that they took: `shortest_seconds` or more."""
        calls, seconds = 0, 0.0
        while seconds < shortest_seconds:
            seconds += self.seconds(call, batch)
            calls += batch
        return calls, seconds


def calibrate(
    backend: Backend, program: Program, cells: Iterable[Cell], execution: Execution, clock: Clock
) -> Attained:
    """Return what the execution's device attains in its precision with its threads.

    `program` may be any program of this process: it only synchronizes.
    """
    started = clock()
    watch = Stopwatch(synchronize=program.synchronize, clock=clock)
    large, accumulate, launch = roof(watch, backend, execution)
    shapes = dense_products(cells)
    calls = [product(backend, shape, execution) for shape in shapes]
    left = BUDGET_SECONDS - (clock() - started)
    dense = rounds(watch, calls, left, SHORTEST_DENSE_SECONDS)
    return Attained(
        large=large,
        accumulate=accumulate,
        launch=launch,
        dense=[sized(shape, repeats) for shape, repeats in zip(shapes, dense, strict=True)],
        wall_seconds=clock() - started,
    )


def roof(
    watch: Stopwatch, backend: Backend, execution: Execution
) -> tuple[ProductRepeats, AccumulateRepeats, Repeats | None]:
    """Time a large product, and `y += x` over arrays that no cache holds.

    On a GPU also `y += x` over one value, which is all dispatch; on a CPU nothing is launched.
    """
    array_bytes = STREAM_BYTES[execution.device.partition(":")[0]]
    calls = [
        product(backend, LARGE, execution),
        backend.accumulate(array_bytes // VALUE_BYTES[execution.precision], execution),
    ]
    if execution.device != "cpu":
        calls.append(backend.accumulate(1, execution))
    large, stream, *launch = rounds(watch, calls, BUDGET_SECONDS / 2, SHORTEST_REPEAT_SECONDS)
    return (
        sized(LARGE, large),
        AccumulateRepeats(array_bytes=array_bytes, **stream),
        launch[0] if launch else None,
    )


def sized(shape: ProductShape, repeats: Repeats) -> ProductRepeats:
    """Return the repeats of a product with its shape."""
    rows, inner, columns = shape
    return ProductRepeats(rows=rows, inner=inner, columns=columns, **repeats)


def rounds(
    watch: Stopwatch, calls: Sequence[Call], budget_seconds: float, shortest_seconds: float
) -> list[Repeats]:
    """Return repeats of each call, taken in turns, so that a disturbance does not meet one alone.

    At least two rounds; another only while the budget has room for one as long as the last.
    """
    started = watch.clock()
    batches = [watch.batch(call) for call in calls]
    taken: list[list[tuple[int, float]]] = [[] for _ in calls]
    last = 0.0
    for turn in range(MOST_REPEATS):
        begun = watch.clock()
        if turn >= FEWEST_REPEATS and begun - started + last > budget_seconds:
            break
        for call, batch, repeats in zip(calls, batches, taken, strict=True):
            repeats.append(watch.repeat(call, batch, shortest_seconds))
        last = watch.clock() - begun
    return [
        Repeats(calls=[made for made, _ in repeats], seconds=[seconds for _, seconds in repeats])
        for repeats in taken
    ]


def product(backend: Backend, shape: ProductShape, execution: Execution) -> Call:
    """Return a call that multiplies two random float32 matrices of this shape."""
    rows, inner, columns = shape
    # not zeros or ones: a GPU draws less power for those, and clocks higher
    draws = np.random.default_rng(math.prod(shape))
    left = draws.random((rows, inner), dtype=np.float32)
    right = draws.random((inner, columns), dtype=np.float32)
    return backend.product(left, right, execution)


def dense_products(cells: Iterable[Cell]) -> list[ProductShape]:
    """Return the shapes of the forward products of the cells' dense layers, each once."""
    return list(
        dict.fromkeys(
            (cell.execution.batch_size, shape[0], layer.units)
            for cell in cells
            for _, layer, shape in WORKLOADS[cell.workload].named_layers()
            if isinstance(layer, Dense)
        )
    )
