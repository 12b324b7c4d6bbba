"""Timing a program: warm-up, blocks of steps, slices of the framework's own loop.

The clock is an argument everywhere, so that tests check exact numbers. Nothing here synchronizes
inside what it times, except at its end.
"""

import math
import statistics
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import combinations, cycle, islice
from typing import Any

from bench.adapter import Array, Program
from bench.spec import TimingPlan

Clock = Callable[[], float]

BLOCK_SECONDS = 0.1
MOST_WARM_UP_BLOCKS = 60
MOST_WARM_UP_SECONDS = 60.0
STEADY_DRIFT = 0.02


class Phases:
    """Wall seconds by phase; a phase entered twice adds up. Calls `announce` at each entry."""

    def __init__(self, clock: Clock, announce: Callable[[str], None]) -> None:
        self.seconds: dict[str, float] = {}
        self._clock = clock
        self._announce = announce

    @contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        self._announce(name)
        started = self._clock()
        try:
            yield
        finally:
            taken = self._clock() - started
            self.seconds[name] = self.seconds.get(name, 0.0) + taken


def step_block(program: Program, batches: Iterable[Any], steps: int, clock: Clock) -> float:
    """Seconds of `steps` train steps over `batches` in turn, synchronized before and at the end."""
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
    """Seconds of the framework's own loop over these images, in their order."""
    program.synchronize()
    started = clock()
    program.fit(images, labels, batch_size)
    program.synchronize()
    return clock() - started


def block_size(program: Program, batches: Iterable[Any], clock: Clock) -> tuple[int, float]:
    """The smallest power of two of steps that takes `BLOCK_SECONDS`, and the seconds of a step.

    Judged by the fastest of three blocks, since a disturbed block makes steps look slow.
    """
    steps = 1
    while True:
        fastest = min(step_block(program, batches, steps, clock) for _ in range(3))
        if fastest >= BLOCK_SECONDS:
            return steps, fastest / steps
        steps *= 2


def is_steady(window: Sequence[float]) -> bool:
    """Whether these block times show no drift beyond their own noise.

    Neither the medians of the window's halves nor its Theil-Sen line (Theil 1950, Sen 1968) from
    end to end may differ by more than 2 % of the median, or two standard errors of the difference
    of two half-window medians where the blocks are too noisy for that. The noise is taken around
    the line, so that a drift does not excuse itself.
    """
    half = len(window) // 2
    middle = statistics.median(window)
    slope = statistics.median(
        (window[j] - window[i]) / (j - i) for i, j in combinations(range(len(window)), 2)
    )
    residuals = [seconds - slope * index for index, seconds in enumerate(window)]
    center = statistics.median(residuals)
    deviation = 1.4826 * statistics.median(abs(residual - center) for residual in residuals)
    # the standard error of a median of n normal values is 1.2533 sd / sqrt(n)
    error = 1.2533 * deviation * math.sqrt(2 / half)
    allowed = max(STEADY_DRIFT * middle, 2 * error)
    between_halves = abs(statistics.median(window[-half:]) - statistics.median(window[:half]))
    end_to_end = abs(slope) * (len(window) - 1)
    return between_halves <= allowed and end_to_end <= allowed


def warm_up(block: Callable[[], float], window_blocks: int) -> bool:
    """Run blocks until the last `window_blocks` are steady; False where they never were."""
    seconds: list[float] = []
    while len(seconds) < MOST_WARM_UP_BLOCKS and sum(seconds) < MOST_WARM_UP_SECONDS:
        seconds.append(block())
        if len(seconds) >= window_blocks and is_steady(seconds[-window_blocks:]):
            return True
    return False


def short_steps(plan: TimingPlan) -> int:
    """Steps of the native lane's short slice, which tells the loop's start-up cost apart."""
    return max(1, plan.native_steps // 4)


def native_lane(
    program: Program, images: Array, labels: Array, batch_size: int, plan: TimingPlan, clock: Clock
) -> dict[str, Any]:
    """The record's lane `native`, of a warm program; long and short slices alternate."""
    sizes = {"slice_seconds": plan.native_steps, "short_slice_seconds": short_steps(plan)}
    lane: dict[str, Any] = {name: [] for name in sizes}
    for _ in range(plan.native_slices):
        for name, steps in sizes.items():
            count = steps * batch_size
            lane[name].append(fit_slice(program, images[:count], labels[:count], batch_size, clock))
    return {
        **lane,
        "steps_per_slice": plan.native_steps,
        "steps_per_short_slice": short_steps(plan),
        "batch_size": batch_size,
    }
