"""The job of an accuracy trial: train, evaluate outside the clock, predict all test images."""

import math
import time

import numpy as np

from bench import mnist
from bench.adapter import Parameters, Program
from bench.errors import TrainingError
from bench.parity import oracle
from bench.parity.rungs import require_changed
from bench.spec import TRAIN_IMAGES, AccuracyPlan, Workload
from bench.worker.job import Send
from bench.worker.messages import Accuracy, EpochEvent, EpochFigures, Passes, Predictions
from bench.worker.trial import TrialJob

# activations stay small: PyTorch's CNN took 2 to 4 times as long with 1000 images at once
EVALUATION_BATCH = 250
INFERENCE_BATCH = 32
INFERENCE_PASSES = 1
# after one epoch of all images every workload exceeds this in every backend; less is no training
LEAST_ACCURACY = 0.90


class AccuracyJob(TrialJob):
    """Trains one cell for as many epochs as its plan says."""

    def measure(self) -> None:
        """Fill `accuracy`."""
        assert self.trial.accuracy is not None, "the entry sends no other trial here"
        with self.phases("load"):
            training = Training(
                self.program,
                self.workload,
                self.data,
                plan=self.trial.accuracy,
                seed=self.trial.seed,
                batch_size=self.batch_size,
                send=self.send,
            )
        with self.phases("accuracy"):
            self.result["accuracy"] = training.run(self.initial)


class Training:
    """Trains a loaded program. The constructor scales the data."""

    def __init__(
        self,
        program: Program,
        workload: Workload,
        data: mnist.Mnist,
        *,
        plan: AccuracyPlan,
        seed: int,
        batch_size: int,
        send: Send,
    ) -> None:
        self.program = program
        self.plan = plan
        self.seed = seed
        self.batch_size = batch_size
        self.send = send
        count = plan.train_images
        # copies, since the embedded arrays are read-only and frameworks want to own theirs
        self.train = (
            mnist.scaled(data.train_images[:count], workload.input_shape),
            data.train_labels[:count].copy(),
        )
        self.test = (
            mnist.scaled(data.test_images, workload.input_shape),
            data.test_labels.copy(),
        )

    def run(self, initial: Parameters) -> Accuracy:
        """Return the record's `accuracy`.

        Raises `ParityError` if nothing changed `initial`, `TrainingError` as `train_epoch` does.
        """
        epochs = [self.train_epoch(epoch) for epoch in range(1, self.plan.epochs + 1)]
        require_changed("fit", initial, self.program.parameters())
        started = time.perf_counter()
        train_loss, train_accuracy = self.program.evaluate(*self.train, EVALUATION_BATCH)
        seconds = time.perf_counter() - started
        require_finite("the last epoch", train_loss=train_loss, train_accuracy=train_accuracy)
        predictions = self.predict()
        self.require_learned("the last epoch", predictions["final_test_accuracy"])
        return Accuracy(
            train_images=self.plan.train_images,
            epochs=epochs,
            final_train_loss=train_loss,
            final_train_accuracy=train_accuracy,
            evaluation=Passes(
                batch_size=EVALUATION_BATCH, images=self.plan.train_images, seconds=[seconds]
            ),
            **predictions,
        )

    def train_epoch(self, epoch: int) -> EpochFigures:
        """Train one epoch in its own order; return and send its figures.

        Raises `TrainingError` for a figure that is not finite, and if an epoch of all images
        leaves too little learned.
        """
        images, labels = self.train
        order = mnist.batch_order(self.seed, epoch - 1, len(labels))
        ordered = images[order], labels[order]
        self.program.synchronize()
        started = time.perf_counter()
        train_loss, train_accuracy = self.program.fit(*ordered, self.batch_size)
        self.program.synchronize()
        seconds = time.perf_counter() - started
        when = f"epoch {epoch}"
        require_finite(when, train_loss=train_loss, train_accuracy=train_accuracy)
        test_loss, test_accuracy = self.program.evaluate(*self.test, EVALUATION_BATCH)
        require_finite(when, test_loss=test_loss, test_accuracy=test_accuracy)
        self.require_learned(when, test_accuracy)
        figures = EpochFigures(
            epoch=epoch,
            train_loss=train_loss,
            train_accuracy=train_accuracy,
            test_loss=test_loss,
            test_accuracy=test_accuracy,
            seconds=seconds,
        )
        self.send(EpochEvent(event="epoch", **figures))
        return figures

    def require_learned(self, when: str, test_accuracy: float) -> None:
        """Raise `TrainingError` if training on all images left too little learned."""
        if self.plan.train_images == TRAIN_IMAGES and test_accuracy < LEAST_ACCURACY:
            raise TrainingError(
                f"test accuracy of {when}. Expected: at least {LEAST_ACCURACY:g}. "
                f"Received: {test_accuracy:g}"
            )

    def predict(self) -> Predictions:
        """Return classes and confidences of all test images, and the seconds of predicting them."""
        images, labels = self.test
        logits = self.program.predict(images, INFERENCE_BATCH)
        require_finite("the last epoch", sum_of_predictions=float(np.sum(logits)))
        seconds = []
        for _ in range(INFERENCE_PASSES):
            started = time.perf_counter()
            self.program.predict(images, INFERENCE_BATCH)
            seconds.append(time.perf_counter() - started)
        probabilities = oracle.softmax(logits.astype(np.float64))
        predicted = probabilities.argmax(axis=1)
        truth = probabilities[np.arange(len(labels)), labels]
        return Predictions(
            final_test_loss=float(-np.log(np.maximum(truth, 1e-300)).mean()),
            final_test_accuracy=float((predicted == labels).mean()),
            predicted=predicted.tolist(),
            confidence=probabilities.max(axis=1).round(6).tolist(),
            inference=Passes(batch_size=INFERENCE_BATCH, images=len(labels), seconds=seconds),
        )


def require_finite(when: str, **figures: object) -> None:
    """Raise `TrainingError` for the first of these figures that is not a finite float."""
    for name, value in figures.items():
        if not (isinstance(value, float) and math.isfinite(value)):
            what = f"{name.replace('_', ' ')} of {when}"
            raise TrainingError(f"{what}. Expected: a finite number. Received: {value}")
