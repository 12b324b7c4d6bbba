"""The canary: twice the work must take twice as long, and be done when the backend says so.

A backend that returns before its work is done, or that skips it, would seem very fast.
"""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bench.adapter import Program
from bench.errors import MeasurementError
from bench.worker.measure.blocks import step_block
from bench.worker.measure.phases import Clock

PAIRS = 5
LOWEST, HIGHEST = 1.8, 2.2
IMPOSSIBLE = 1.5
# a busy moment of the machine makes a canary unsound; an honest backend's next canary is sound
MOST_TRIES = 3
# after a sync, copying a weight to the host takes as long as if no work came before it
LATEST = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Canary:
    """Pairs of blocks of `steps` and of twice as many, in turn.

    `late_seconds` is the time of a first reading of the weights after the second block, less that
    of a second reading: the work that was still under way.
    """

    steps: int
    single_seconds: tuple[float, ...]
    double_seconds: tuple[float, ...]
    late_seconds: tuple[float, ...]

    @property
    def ratio(self) -> float:
        """Return the median of the pairs' ratios; 0 if blocks take no time."""
        pairs = zip(self.single_seconds, self.double_seconds, strict=True)
        return statistics.median(double / single if single > 0 else 0.0 for single, double in pairs)

    @property
    def late_share(self) -> float:
        """Return the share of a double block's work that came after its end."""
        late = statistics.median(self.late_seconds)
        whole = statistics.median(self.double_seconds) + late
        return late / whole if whole > 0 else 0.0

    @property
    def doubtful(self) -> bool:
        """Return whether the ratio is so far from 2 that it deserves a flag."""
        return not LOWEST <= self.ratio <= HIGHEST

    @property
    def sound(self) -> bool:
        """Return whether the times can be those of the work."""
        return self.ratio >= IMPOSSIBLE and self.late_share <= LATEST

    def require_sound(self) -> None:
        """Raise `MeasurementError` unless the times can be those of the work."""
        if self.ratio < IMPOSSIBLE:
            raise MeasurementError(
                f"canary: twice the steps took {self.ratio:.3g} times as long. Expected: {LOWEST} "
                f"to {HIGHEST}. The backend skips work or returns before it is done"
            )
        if self.late_share > LATEST:
            raise MeasurementError(
                f"canary: {100 * self.late_share:.0f} % of a block's work came after its end. "
                "Expected: none. The backend returns before its work is done"
            )


def canary(program: Program, batches: Sequence[Any], steps: int, clock: Clock) -> Canary:
    """Return the first sound canary; if none is sound, the last of `MOST_TRIES`."""
    for _ in range(MOST_TRIES):
        result = five_pairs(program, batches, steps, clock)
        if result.sound:
            break
    return result


def five_pairs(program: Program, batches: Sequence[Any], steps: int, clock: Clock) -> Canary:
    """Return a canary of five pairs; the order in a pair changes from pair to pair."""
    seconds: dict[int, list[float]] = {steps: [], 2 * steps: []}
    late = []
    for pair in range(PAIRS):
        for size in sorted(seconds, reverse=bool(pair % 2)):
            seconds[size].append(step_block(program, batches, size, clock))
        late.append(reading(program, clock) - reading(program, clock))
    return Canary(
        steps=steps,
        single_seconds=tuple(seconds[steps]),
        double_seconds=tuple(seconds[2 * steps]),
        late_seconds=tuple(late),
    )


def reading(program: Program, clock: Clock) -> float:
    """Return the seconds of copying the weights to the host, after all work under way."""
    started = clock()
    program.parameters()
    return clock() - started
