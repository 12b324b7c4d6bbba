"""The time until trainings first reach a test accuracy."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from statistics import median
from typing import Any

from bench.record import EpochModel
from bench.stats import Estimate, cell_value
from reports.results.accuracy import Accuracy
from reports.results.summary import SummaryRow

TARGETS = (0.97, 0.98, 0.99)
BELOW_PUBLISHED = 0.005
NEVER = math.inf


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """For each training the seconds and the epoch in which it first had `target`, or `NEVER`.

    A training that never got there is not left out: it counts as longer than all that did.
    """

    target: float
    seconds: tuple[float, ...]
    epochs: tuple[float, ...]

    @property
    def times(self) -> int:
        """Count the trainings that got there."""
        return sum(map(math.isfinite, self.seconds))

    @property
    def median_seconds(self) -> float | None:
        """Return the median over all trainings; None if half of them or more never got there."""
        middle = median(self.seconds)
        return middle if math.isfinite(middle) else None

    @property
    def estimate(self) -> Estimate | None:
        """Return the median with its interval; None unless every training got there."""
        return cell_value(self.seconds) if self.times == len(self.seconds) else None


def reach(measured: Accuracy, target: float) -> Reached:
    """Return when each training first had the target."""
    firsts = [first_epoch(one.result.epochs, target) for one in measured.trainings]
    return Reached(
        target=target,
        seconds=tuple(seconds for seconds, _ in firsts),
        epochs=tuple(epoch for _, epoch in firsts),
    )


def first_epoch(epochs: Sequence[EpochModel], target: float) -> tuple[float, float]:
    """Return the training seconds up to the end of the first epoch with that accuracy, and it."""
    trained = accumulate(epoch.seconds for epoch in epochs)
    for epoch, seconds in zip(epochs, trained, strict=True):
        if epoch.test_accuracy >= target:
            return seconds, epoch.epoch
    return NEVER, NEVER


def targets(row: SummaryRow) -> list[float]:
    """Return the round targets, and the published accuracy less half a point if there is one."""
    published = row.published_accuracy
    return [*TARGETS, *([] if published is None else [published - BELOW_PUBLISHED])]


def as_json(row: SummaryRow, measured: Accuracy) -> list[dict[str, Any]]:
    """Return all targets unrounded; null for a training that never got there."""
    return [
        {
            "test_accuracy": one.target,
            "trainings": [
                {"seed": training.seed, "seconds": finite(seconds), "epoch": finite(epoch)}
                for training, seconds, epoch in zip(
                    measured.trainings, one.seconds, one.epochs, strict=True
                )
            ],
        }
        for one in (reach(measured, target) for target in targets(row))
    ]


def finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
