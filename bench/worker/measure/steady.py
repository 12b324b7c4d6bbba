"""Judge whether a program is warm, by the times of its blocks alone."""

import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations

MOST_WARM_UP_BLOCKS = 60
MOST_WARM_UP_SECONDS = 60.0
STEADY_DRIFT = 0.02
FEWEST_FOR_LEVELS = 8
SMALLEST_LEVEL = 0.3


def is_steady(window: Sequence[float]) -> bool:
    """Return whether these block times show no drift beyond their own noise, and no two levels.

    Neither the medians of the window's halves nor its Theil-Sen line (Theil 1950, Sen 1968) from
    end to end may differ by more than 2 % of the median. If the blocks are too noisy for that, two
    standard errors of the difference of two half-window medians are allowed. The noise is taken
    around the line, so that a drift does not add to its own allowance.
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
    drifting = between_halves > allowed or end_to_end > allowed
    return not drifting and not has_two_levels(window)


def has_two_levels(blocks: Sequence[float]) -> bool:
    """Return whether these times form two groups that are further apart than either is wide.

    Each group has at least 30 % of the blocks, and they are more than 2 % apart. Ten normal values
    do so by chance in 3 % of cases, at any noise; fewer than eight do so too often to be judged.
    """
    if len(blocks) < FEWEST_FOR_LEVELS:
        return False
    ordered = sorted(blocks)
    fewest = math.ceil(SMALLEST_LEVEL * len(ordered))
    apart = STEADY_DRIFT * statistics.median(ordered)
    return any(
        ordered[at] - ordered[at - 1]
        > max(apart, ordered[at - 1] - ordered[0], ordered[-1] - ordered[at])
        for at in range(fewest, len(ordered) - fewest + 1)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class WarmUp:
    """The seconds of every block of a warm-up, and whether its last window was steady."""

    block_seconds: tuple[float, ...]
    steady: bool


def warm_up(
    block: Callable[[], float], window_blocks: int, compilations: Callable[[], int]
) -> WarmUp:
    """Run blocks until the last `window_blocks` are steady, with no compilation in them.

    Gives up after `MOST_WARM_UP_BLOCKS` blocks or `MOST_WARM_UP_SECONDS`.
    """
    seconds: list[float] = []
    compiled, clean = compilations(), 0
    while len(seconds) < MOST_WARM_UP_BLOCKS and sum(seconds) < MOST_WARM_UP_SECONDS:
        seconds.append(block())
        before, compiled = compiled, compilations()
        clean = clean + 1 if compiled == before else 0
        if clean >= window_blocks and is_steady(seconds[-window_blocks:]):
            return WarmUp(block_seconds=tuple(seconds), steady=True)
    return WarmUp(block_seconds=tuple(seconds), steady=False)
