"""The accuracy of one cell over its trainings: one trial per seed, no seed left out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean

from bench.record import AccuracyModel, EpochModel, InferenceModel, Record
from bench.stats import prediction_interval, samples_per_second

# with fewer than three seeds a t interval is wider than the range of an accuracy
SMALLEST_PREDICTION = 3
OVERFIT_POINTS = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """One accuracy trial: its training, and the values that it ended with."""

    seed: int
    epochs: int
    train_images: int
    test_images: int
    right: int
    result: AccuracyModel

    @property
    def gap_points(self) -> float:
        """Return train minus test accuracy after the last epoch, in percentage points."""
        return 100 * (self.result.final_train_accuracy - self.result.final_test_accuracy)


@dataclass(frozen=True, slots=True, kw_only=True)
class Accuracy:
    """A cell's accuracy over its seeds. `prediction`: the interval for one further seed.

    `evaluated_per_second`: images, at `evaluation_batch_size`; None in records of early versions.
    """

    trainings: tuple[Training, ...]
    epochs: int
    train_images: int
    test_accuracy: float
    prediction: tuple[float, float] | None
    images_per_second: float
    inference_batch_size: int
    evaluated_per_second: float | None
    evaluation_batch_size: int | None

    @property
    def seeds(self) -> tuple[int, ...]:
        return tuple(training.seed for training in self.trainings)

    def curve(self, value: Callable[[EpochModel], float]) -> list[float]:
        """Return the mean over seeds of one value of each epoch."""
        epochs = zip(*(training.result.epochs for training in self.trainings), strict=False)
        return [fmean(map(value, same_epoch)) for same_epoch in epochs]


def accuracy(records: Sequence[Record]) -> Accuracy | None:
    """Return a cell's accuracy from these good accuracy trials; None if there are none."""
    trainings = tuple(
        training(record, record.accuracy) for record in records if record.accuracy is not None
    )
    if not trainings:
        return None
    finals = [training.result.final_test_accuracy for training in trainings]
    evaluations = [
        training.result.evaluation
        for training in trainings
        if training.result.evaluation is not None
    ]
    return Accuracy(
        trainings=trainings,
        epochs=min(training.epochs for training in trainings),
        train_images=min(training.train_images for training in trainings),
        test_accuracy=fmean(finals),
        prediction=prediction_interval(finals) if len(finals) >= SMALLEST_PREDICTION else None,
        images_per_second=throughput([training.result.inference for training in trainings]),
        inference_batch_size=trainings[0].result.inference.batch_size,
        evaluated_per_second=throughput(evaluations) if evaluations else None,
        evaluation_batch_size=evaluations[0].batch_size if evaluations else None,
    )


def training(record: Record, result: AccuracyModel) -> Training:
    """Return the training that this record holds."""
    test_images = len(result.predicted)
    return Training(
        seed=record.trial.seed,
        epochs=len(result.epochs),
        train_images=result.train_images,
        test_images=test_images,
        right=round(result.final_test_accuracy * test_images),
        result=result,
    )


def throughput(passes: Sequence[InferenceModel]) -> float:
    """Return the images per second, from the totals of all passes."""
    images = [inference.images * len(inference.seconds) for inference in passes]
    return samples_per_second(images, [sum(inference.seconds) for inference in passes])
