"""Time blocks of train steps and slices of the framework's own loop.

The clock is an argument everywhere, so that tests check exact numbers. Between the two readings of
the clock the only synchronization is the last one.
"""

from collections.abc import Callable, Iterable
from itertools import cycle, islice
from typing import Any

from bench.adapter import Array, Program
from bench.errors import MeasurementError
from bench.worker.measure.phases import Clock

BLOCK_SECONDS = 0.1
# a step of a nanosecond is no step: a backend that needs more returns before its work is done
MOST_STEPS_PER_BLOCK = 2**20


def step_block(program: Program, batches: Iterable[Any], steps: int, clock: Clock) -> float:
    """Return the seconds of `steps` train steps over `batches` in turn, the last one completed."""
    turn = islice(cycle(batches), steps)
    program.synchronize()
    started = clock()
    for batch in turn:
        program.train_step(batch)
    program.synchronize()
    return clock() - started


def fit_slice(
    program: Program, images: Array, labels: Array, batch_size: int, clock: Clock
) -> float:
    """Return the seconds of the framework's own loop over these images, in their order."""
    program.synchronize()
    started = clock()
    program.fit(images, labels, batch_size)
    program.synchronize()
    return clock() - started


def call_size(
    program: Program, batch_of: Callable[[int], Any], most: int, clock: Clock
) -> tuple[int, Any]:
    """Return the steps per call of the train step, a power of four, and the batch for a call.

    A call takes a quarter of a block, so that a block still has parts, or `most` steps.
    `batch_of(n)` puts n batches on the device.
    """
    steps, batch = 1, batch_of(1)
    while 4 * steps <= most:
        program.train_step(batch)
        fastest = min(step_block(program, [batch], 1, clock) for _ in range(3))
        if fastest >= BLOCK_SECONDS / 4:
            break
        steps *= 4
        batch = batch_of(steps)
    return steps, batch


def block_size(program: Program, batches: Iterable[Any], clock: Clock) -> tuple[int, float]:
    """Return the smallest power of two of steps that takes `BLOCK_SECONDS`, and a step's seconds.

    The fastest of three blocks decides, since a disturbed block makes steps look slow. Raises
    `MeasurementError` if no number of steps takes that long.
    """
    steps = 1
    while steps <= MOST_STEPS_PER_BLOCK:
        fastest = min(step_block(program, batches, steps, clock) for _ in range(3))
        if fastest >= BLOCK_SECONDS:
            return steps, fastest / steps
        steps *= 2
    raise MeasurementError(
        f"{MOST_STEPS_PER_BLOCK} train steps took {fastest:.3g} s. Expected: at least "
        f"{BLOCK_SECONDS} s. The backend returns before its work is done"
    )
