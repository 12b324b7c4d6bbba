"""A training ends with an error if an epoch learns too little."""

import pytest

from bench.errors import TrainingError
from bench.spec import TRAIN_IMAGES, AccuracyPlan
from bench.worker.accuracy import Training
from bench.workloads import MLP_512


class StubProgram:
    """A program that learns nothing and reports a given test accuracy."""

    def __init__(self, test_accuracy):
        self.test_accuracy = test_accuracy

    def synchronize(self):
        pass

    def fit(self, images, labels, batch_size):
        return 0.5, 0.8

    def evaluate(self, images, labels, batch_size):
        return 0.5, self.test_accuracy


def training(test_accuracy, data, train_images=TRAIN_IMAGES):
    return Training(
        StubProgram(test_accuracy), MLP_512, data, seed=0, batch_size=128, send=lambda event: None,
        plan=AccuracyPlan(epochs=2, train_images=train_images),
    )  # fmt: skip


@pytest.mark.parametrize("epoch", [1, 2])
def test_an_epoch_that_learns_too_little_is_an_error(data, epoch):
    message = rf"of epoch {epoch}\. Expected: at least 0\.9\. Received: 0\.8999"
    with pytest.raises(TrainingError, match=message):
        training(0.8999, data).train_epoch(epoch)


@pytest.mark.parametrize("epoch", [1, 2])
def test_a_good_epoch_returns_its_figures(data, epoch):
    assert training(0.9, data).train_epoch(epoch)["test_accuracy"] == 0.9


def test_a_training_on_fewer_images_may_learn_less(data):
    assert training(0.5, data, train_images=6_400).train_epoch(1)["test_accuracy"] == 0.5
