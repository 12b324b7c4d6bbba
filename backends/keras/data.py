"""Keras' own input pipeline: whole arrays in memory, which `fit` shuffles and divides."""

import keras

from bench.adapter import Array


def tutorial_epoch(model: keras.Sequential, images: Array, labels: Array, batch_size: int) -> None:
    """Train for an epoch as a tutorial does, without the progress bar, which would be timed too."""
    model.fit(images, labels, batch_size=batch_size, epochs=1, verbose=0)
