"""The predictions of each cell for the test images, after the training with the first seed."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
from numpy.typing import NDArray

from bench.mnist import load
from bench.record import AccuracyModel, TrialModel
from bench.spec import CLASSES, TEST_IMAGES
from reports.results.cells import CellResults


@dataclass(frozen=True, kw_only=True, eq=False)
class Predictions:
    """The predictions of one training; arrays `(10000,)` in the order of the test images.

    `confidence` is the probability of the predicted class. `claimed_right` follows from the test
    accuracy that the same record holds.
    """

    results: CellResults
    seed: int
    classes: NDArray[np.int64]
    predicted: NDArray[np.int64]
    confidence: NDArray[np.float64]
    claimed_right: int

    # cached: the section and both figures ask for them
    @cached_property
    def right_indices(self) -> NDArray[np.int64]:
        """Return the indices of the test images that are right, ascending, counted from 0."""
        return np.flatnonzero(self.predicted == self.classes)

    @cached_property
    def wrong_indices(self) -> NDArray[np.int64]:
        """Return the indices of the test images that are wrong, as in `right_indices`."""
        return np.flatnonzero(self.predicted != self.classes)

    @cached_property
    def confusion(self) -> NDArray[np.int64]:
        """Return how many images of each class (rows) were taken for each class (columns)."""
        pairs = np.bincount(CLASSES * self.classes + self.predicted, minlength=CLASSES**2)
        return pairs.reshape(CLASSES, CLASSES)


# cached: every workload's section and figures ask for them, and reading them verifies their hashes
@cache
def images_and_classes() -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return the test images, `(10000, 28, 28)`, and their classes, `(10000,)`."""
    data = load()
    return data.test_images, data.test_labels


def predictions(cells: Sequence[CellResults]) -> list[Predictions]:
    """Return the predictions of each cell that has them for all test images."""
    return list(filter(None, map(predictions_of, cells)))


def predictions_of(results: CellResults) -> Predictions | None:
    """Return the predictions of the first declared training; None if they are incomplete."""
    trial, training = first_declared_trial(results), first_training(results)
    if trial is None or training is None or len(training.predicted) != TEST_IMAGES:
        return None
    return Predictions(
        results=results,
        seed=trial.seed,
        classes=images_and_classes()[1],
        predicted=np.array(training.predicted, dtype=np.int64),
        confidence=np.array(training.confidence),
        claimed_right=round(training.final_test_accuracy * TEST_IMAGES),
    )


def first_declared_trial(results: CellResults) -> TrialModel | None:
    """Return the plan's first training of the cell; a longer training never comes first."""
    return next((trial for trial in results.planned_trials if trial.kind == "accuracy"), None)


def first_training(results: CellResults) -> AccuracyModel | None:
    """Return what the first declared training measured; None if it has no good record."""
    trial = first_declared_trial(results)
    measured = (
        record.accuracy for record in results.good_records("accuracy") if record.trial == trial
    )
    return next(measured, None)


def missing_reason(results: CellResults) -> str | None:
    """Return why a trained cell has no predictions to show; None if it has some."""
    trial, training = first_declared_trial(results), first_training(results)
    if trial is None or not results.good_records("accuracy"):
        return None
    if training is None:
        return f"the training with seed {trial.seed}, the first declared one, has no good record"
    if len(training.predicted) != TEST_IMAGES:
        return (
            f"its record does not say which images it predicted. Expected: {TEST_IMAGES:,} "
            f"predictions, one for each test image. Received: {len(training.predicted):,}"
        )
    return None


def count_shared(predictions: Predictions, indices: Collection[int]) -> int:
    """Count the images that are in `indices` and among the wrong ones."""
    return len(np.intersect1d(predictions.wrong_indices, list(indices)))


def expected_shared(predictions: Predictions, indices: Collection[int]) -> float:
    """Return how many images two independent sets of these sizes are expected to share."""
    return len(predictions.wrong_indices) * len(indices) / TEST_IMAGES


def common_wrong_indices(cells: Sequence[Predictions]) -> NDArray[np.int64]:
    """Return the indices of the images that every cell gets wrong."""
    return np.flatnonzero(
        np.all([predictions.predicted != predictions.classes for predictions in cells], axis=0)
    )
