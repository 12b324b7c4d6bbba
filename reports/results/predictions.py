"""Each cell's answers for the test images, after the training with the first declared seed."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from bench.mnist import load
from bench.record import AccuracyModel, TrialModel
from bench.spec import CLASSES, TEST_IMAGES
from reports.results.cells import CellResults


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Predictions:
    """One training's answers; arrays `(10000,)` in the order of the test images.

    `confidence` is the probability of the predicted class. `claimed_right` follows from the test
    accuracy that the same record holds.
    """

    results: CellResults
    seed: int
    classes: NDArray[np.int64]
    predicted: NDArray[np.int64]
    confidence: NDArray[np.float64]
    claimed_right: int

    @property
    def right(self) -> NDArray[np.int64]:
        """Indices of test images, ascending, counted from 0."""
        return np.flatnonzero(self.predicted == self.classes)

    @property
    def wrong(self) -> NDArray[np.int64]:
        """Indices as in `right`."""
        return np.flatnonzero(self.predicted != self.classes)

    @property
    def confusion(self) -> NDArray[np.int64]:
        """How many images of each class (rows) were taken for each class (columns)."""
        pairs = np.bincount(CLASSES * self.classes + self.predicted, minlength=CLASSES**2)
        return pairs.reshape(CLASSES, CLASSES)


# cached: every workload's section and figures ask for them, and reading them verifies their hashes
@cache
def images_and_classes() -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """The test images, `(10000, 28, 28)`, and their classes, `(10000,)`."""
    data = load()
    return data.test_images, data.test_labels


def predictions(cells: Sequence[CellResults]) -> list[Predictions]:
    """Those of each cell's first declared seed, where it has them for all test images."""
    return [one for results in cells if (one := predictions_of(results)) is not None]


def predictions_of(results: CellResults) -> Predictions | None:
    trial, found = first_declared(results), first_training(results)
    if trial is None or found is None or len(found.predicted) != TEST_IMAGES:
        return None
    return Predictions(
        results=results,
        seed=trial.seed,
        classes=images_and_classes()[1],
        predicted=np.array(found.predicted, dtype=np.int64),
        confidence=np.array(found.confidence),
        claimed_right=round(found.final_test_accuracy * TEST_IMAGES),
    )


def first_declared(results: CellResults) -> TrialModel | None:
    """The plan's first training of the cell; one with more epochs never comes first."""
    return next((trial for trial in results.planned if trial.kind == "accuracy"), None)


def first_training(results: CellResults) -> AccuracyModel | None:
    trial = first_declared(results)
    found = (one.accuracy for one in results.good("accuracy") if one.trial == trial)
    return next(found, None)


def lacking(results: CellResults) -> str | None:
    """Why a cell that was trained has no predictions to show; None where it has."""
    trial, found = first_declared(results), first_training(results)
    if trial is None or not results.good("accuracy"):
        return None
    if found is None:
        return f"the training with seed {trial.seed}, the first declared one, has no good record"
    if len(found.predicted) != TEST_IMAGES:
        return (
            f"its record does not say which images it predicted. Expected: {TEST_IMAGES:,} "
            f"predictions, one for each test image. Received: {len(found.predicted):,}"
        )
    return None


def shared(one: Predictions, listed: Collection[int]) -> int:
    """How many of the listed images are wrong here too."""
    return len(np.intersect1d(one.wrong, list(listed)))


def shared_by_chance(one: Predictions, listed: Collection[int]) -> float:
    """How many are expected of two unrelated sets of these sizes."""
    return len(one.wrong) * len(listed) / TEST_IMAGES


def wrong_in_all(found: Sequence[Predictions]) -> NDArray[np.int64]:
    """Indices of the images that every one of these gets wrong."""
    return np.flatnonzero(np.all([one.predicted != one.classes for one in found], axis=0))
