"""Keras' own way to MNIST: arrays in memory, handed to `fit` whole and shuffled by it."""

import keras

from bench.adapter import Array


def tutorial_epoch(model: keras.Sequential, images: Array, labels: Array, batch_size: int) -> None:
    """What a newcomer writes, without the progress bar, which would be what is timed."""
    model.fit(images, labels, batch_size=batch_size, epochs=1, verbose=0)
