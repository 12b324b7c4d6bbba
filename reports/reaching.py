"""How long each backend trains until it first has a test accuracy."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from statistics import median
from typing import Any

from bench.record import EpochModel
from bench.spec import TRAIN_IMAGES
from bench.stats import Estimate, cell_value
from reports.accuracy import Accuracy
from reports.cells import named
from reports.tables import SummaryRow
from reports.text import NOTHING, estimate, number, percent, table

TARGETS = (0.97, 0.98, 0.99)
BELOW_PUBLISHED = 0.005
NEVER = math.inf


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """For each training the seconds and the epoch in which it first had `target`; else `NEVER`.

    A training that never got there is not left out: it counts as longer than all that did.
    """

    target: float
    seconds: tuple[float, ...]
    epochs: tuple[float, ...]

    @property
    def times(self) -> int:
        """How many trainings got there."""
        return sum(map(math.isfinite, self.seconds))

    @property
    def median_seconds(self) -> float | None:
        """Over all trainings; None where half of them or more never got there."""
        middle = median(self.seconds)
        return middle if math.isfinite(middle) else None

    @property
    def estimate(self) -> Estimate | None:
        """With its interval, where every training got there."""
        return cell_value(self.seconds) if self.times == len(self.seconds) else None


def reached(measured: Accuracy, target: float) -> Reached:
    found = [first_with(one.result.epochs, target) for one in measured.trainings]
    return Reached(
        target=target,
        seconds=tuple(seconds for seconds, _ in found),
        epochs=tuple(epoch for _, epoch in found),
    )


def first_with(epochs: Sequence[EpochModel], target: float) -> tuple[float, float]:
    """Training seconds up to the end of the first epoch with that test accuracy, and the epoch."""
    trained = accumulate(one.seconds for one in epochs)
    for one, seconds in zip(epochs, trained, strict=True):
        if one.test_accuracy >= target:
            return seconds, one.epoch
    return NEVER, NEVER


def targets(row: SummaryRow) -> list[float]:
    """The round ones, and the published accuracy less half a point where there is one."""
    published = row.published_accuracy
    return [*TARGETS, *([] if published is None else [published - BELOW_PUBLISHED])]


def section(rows: Sequence[SummaryRow]) -> Iterator[str]:
    """Nothing where trainings saw a part of the images: they are not what the targets are for."""
    trained = [
        (row, row.accuracy)
        for row in rows
        if row.accuracy is not None and row.accuracy.train_images == TRAIN_IMAGES
    ]
    if not trained:
        return
    headers = ["workload", "backend", "device", "seeds", *map(whole_percent, TARGETS)]
    headers += ["published less half a point"]
    yield "## Time to accuracy"
    yield table(headers, [cells_of(*one) for one in trained], ", ".join(headers[3:]))
    yield (
        "Seconds of training until the end of the first epoch with that test accuracy, and that "
        "epoch; evaluations are outside the clock. Median over seeds, in brackets its 95 % "
        "interval (from 6 seeds on, where all got there). `7 of 10`: so many seeds got there at "
        "all; the others count as longer. never: none, within the epochs trained. Trainings take "
        "no turns with each other, so that no verdict is made of these."
    )


def whole_percent(target: float) -> str:
    return f"{100 * target:g} %"


def cells_of(row: SummaryRow, measured: Accuracy) -> list[str]:
    found = [reached(measured, target) for target in targets(row)]
    told = [in_words(one) for one in found]
    if len(told) == len(TARGETS):
        told.append(NOTHING)
    else:
        told[-1] = f"{told[-1]} ({percent(found[-1].target)})"
    return [*named(row.results), str(len(measured.seeds)), *told]


def in_words(one: Reached) -> str:
    """`9.82 s, epoch 4`; `14.2 s, epoch 6; 7 of 10`; `never`."""
    if not one.times:
        return "never"
    share = "" if one.times == len(one.seconds) else f"{one.times} of {len(one.seconds)}"
    if one.median_seconds is None:
        return share
    seconds = estimate(one.estimate) if one.estimate else number(one.median_seconds)
    return f"{seconds} s, epoch {median(one.epochs):g}{share and f'; {share}'}"


def as_json(row: SummaryRow, measured: Accuracy) -> list[dict[str, Any]]:
    """Unrounded; null for a training that never got there."""
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
        for one in (reached(measured, target) for target in targets(row))
    ]


def finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
