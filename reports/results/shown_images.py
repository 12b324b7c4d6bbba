"""The test images that a gallery shows, with their captions: for the picture and its table."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.mnist import stream
from reports.results.predictions import Predictions, common_wrong_indices

FIRST = 9
DRAWN = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownImage:
    """A test image; `predicted` holds each class that was predicted once, ascending.

    `probability` is that of the predicted class; None if several cells predicted one.
    """

    index: int
    true_class: int
    predicted: tuple[int, ...]
    probability: float | None = None

    @property
    def answers(self) -> str:
        return ", ".join(map(str, self.predicted))

    @property
    def caption(self) -> str:
        """Return the lines below the image."""
        # several answers are too long for one line
        gap = " " if len(self.predicted) == 1 else "\n"
        lines = [f"Predicted{gap}{self.answers}", f"Class {self.true_class}"]
        if self.probability is not None:
            lines.append(f"p = {self.probability_text}")
        return "\n".join(lines)

    @property
    def probability_text(self) -> str:
        return "" if self.probability is None else f"{self.probability:.3f}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """Test images under one title."""

    title: str
    images: tuple[ShownImage, ...]


def bands(predictions: Predictions) -> list[Band]:
    """Return the first right, the first wrong and some random wrong images; no empty band."""
    right, wrong, sample = predictions.right_indices, predictions.wrong_indices, draw(predictions)
    titled = [
        (f"The first {len(right[:FIRST])} of {len(right):,} right", right[:FIRST]),
        (f"The first {len(wrong[:FIRST])} of {len(wrong):,} wrong", wrong[:FIRST]),
        (f"{len(sample)} of {len(wrong):,} wrong, drawn with seed {predictions.seed}", sample),
    ]
    return [
        Band(title=title, images=tuple(images(predictions, indices)))
        for title, indices in titled
        if len(indices)
    ]


def draw(predictions: Predictions) -> NDArray[np.int64]:
    """Draw up to 16 wrong images without replacement, ascending; the seed determines them."""
    return np.sort(
        stream("wrong-images", predictions.seed).permutation(predictions.wrong_indices)[:DRAWN]
    )


def images(predictions: Predictions, indices: Iterable[int]) -> Iterator[ShownImage]:
    """Yield these test images with their classes and answers."""
    for index in indices:
        yield ShownImage(
            index=int(index),
            true_class=int(predictions.classes[index]),
            predicted=(int(predictions.predicted[index]),),
            probability=float(predictions.confidence[index]),
        )


def band_of_all(cells: Sequence[Predictions]) -> Band | None:
    """Return the first images that every cell gets wrong; None for one cell, or for no image."""
    if len(cells) < 2:
        return None
    wrong = common_wrong_indices(cells)
    if not len(wrong):
        return None
    return Band(
        title=f"The first {len(wrong[:DRAWN])} of {len(wrong):,} that are wrong in every one of "
        f"the {len(cells)} configurations",
        images=tuple(
            ShownImage(
                index=int(index),
                true_class=int(cells[0].classes[index]),
                predicted=tuple(
                    sorted({int(predictions.predicted[index]) for predictions in cells})
                ),
            )
            for index in wrong[:DRAWN]
        ),
    )
