"""Load MNIST as arrays."""

import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.errors import DataError
from bench.mnist.cache import cached_content
from bench.mnist.draws import digest_of
from bench.mnist.idx import (
    TEST_IMAGES,
    TEST_LABELS,
    TRAIN_IMAGES,
    TRAIN_LABELS,
    Source,
    read_archive,
    read_idx,
    values,
)
from bench.spec import Shape


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Mnist:
    """60,000 training and 10,000 test images `(n, 28, 28)` uint8, labels `(n,)` int64, read-only.

    Indexing with an order gives a writable copy, as `torch.from_numpy` needs it.
    """

    train_images: NDArray[np.uint8]
    train_labels: NDArray[np.int64]
    test_images: NDArray[np.uint8]
    test_labels: NDArray[np.int64]


def load(folder: Path | None = None) -> Mnist:
    """Load the packaged MNIST, or the one in `folder`: IDX files, decompressed or as `.gz`.

    Every file and every array is verified. Nothing is downloaded, and nothing is ever written in
    `folder`. Raises `DataError`, on one line, for a file that is missing or is not the original.
    """
    return Mnist(
        train_images=values(_content(TRAIN_IMAGES, folder), TRAIN_IMAGES),
        train_labels=_labels(_content(TRAIN_LABELS, folder), TRAIN_LABELS),
        test_images=values(_content(TEST_IMAGES, folder), TEST_IMAGES),
        test_labels=_labels(_content(TEST_LABELS, folder), TEST_LABELS),
    )


def _content(source: Source, folder: Path | None) -> bytes:
    if folder is None:
        return cached_content(source)
    advice = "Put the original file there, or name no folder to use the packaged data"
    decompressed = folder / source.name
    # unlike `Path.exists`, this does not raise for a folder that can't be searched
    if os.path.lexists(decompressed):
        return read_idx(decompressed, source, advice)
    return read_archive(folder / source.archive_name, source, advice)


def _labels(content: bytes, source: Source) -> NDArray[np.int64]:
    labels = values(content, source).astype(np.int64)
    labels.setflags(write=False)
    return labels


def scaled(images: NDArray[np.uint8], shape: Shape) -> NDArray[np.float32]:
    """Divide pixels by 255 and return them as a new float32 array `(n, *shape)`.

    The shape is `(784,)` or `(28, 28, 1)`. Raises `DataError` for images that are not uint8, such
    as images that were already scaled.
    """
    if images.dtype != np.uint8:
        raise DataError(
            "pixels are scaled once, from whole numbers. Expected: images of dtype uint8. "
            f"Received: {images.dtype}. Pass the images as `load` returns them"
        )
    pixels = images.astype(np.float32)
    pixels /= np.float32(255)
    return pixels.reshape(len(images), *shape)


@cache
def data_digest(data: Mnist) -> str:
    """Return the hash that the parity rung `data` compares: SHA-256 over the four arrays.

    Labels of any integer type that fits into int64 count as the same labels. The hash is computed
    once per `Mnist`, whose arrays are read-only.
    """
    return digest_of(
        {
            "train_images": data.train_images,
            "train_labels": data.train_labels.astype(np.int64, casting="safe"),
            "test_images": data.test_images,
            "test_labels": data.test_labels.astype(np.int64, casting="safe"),
        }
    )
