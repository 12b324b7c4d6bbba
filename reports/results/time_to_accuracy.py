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
class TargetTimes:
    """For each training the seconds and the epoch in which it first had `target`, or `NEVER`.

    A training that never has the target is kept: it counts as longer than all others.
    """

    target: float
    seconds: tuple[float, ...]
    epochs: tuple[float, ...]

    @property
    def reached_count(self) -> int:
        """Return how many trainings have the target in some epoch."""
        return sum(map(math.isfinite, self.seconds))

    @property
    def median_seconds(self) -> float | None:
        """Return the median over all trainings; None if at least half never have the target."""
        middle = median(self.seconds)
        return middle if math.isfinite(middle) else None

    @property
    def estimate(self) -> Estimate | None:
        """Return the median with its interval; None unless every training has the target."""
        return cell_value(self.seconds) if self.reached_count == len(self.seconds) else None


def target_times(measured: Accuracy, target: float) -> TargetTimes:
    """Return when each training first had the target."""
    firsts = [first_epoch(training.result.epochs, target) for training in measured.trainings]
    return TargetTimes(
        target=target,
        seconds=tuple(seconds for seconds, _ in firsts),
        epochs=tuple(epoch for _, epoch in firsts),
    )


def first_epoch(epochs: Sequence[EpochModel], target: float) -> tuple[float, float]:
    """Return the first epoch with that accuracy, after the training seconds up to its end."""
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
    """Return all targets unrounded; null for a training that never has the target."""
    return [
        {
            "test_accuracy": times.target,
            "trainings": [
                {
                    "seed": training.seed,
                    "seconds": finite_or_none(seconds),
                    "epoch": finite_or_none(epoch),
                }
                for training, seconds, epoch in zip(
                    measured.trainings, times.seconds, times.epochs, strict=True
                )
            ],
        }
        for times in (target_times(measured, target) for target in targets(row))
    ]


def finite_or_none(value: float) -> float | None:
    """Return the value; None if it is infinite, for which JSON has no number."""
    return value if math.isfinite(value) else None
