"""The test images that a gallery shows, with their captions: for the picture and its table."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.mnist import stream
from reports.results.predictions import Predictions, wrong_in_all

FIRST = 9
DRAWN = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownImage:
    """A test image; `predicted` are its different answers, ascending.

    `probability` is that of the answer; None if several cells answered.
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
            lines.append(f"p = {self.p}")
        return "\n".join(lines)

    @property
    def p(self) -> str:
        return "" if self.probability is None else f"{self.probability:.3f}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """Test images under one title."""

    title: str
    images: tuple[ShownImage, ...]


def bands(one: Predictions) -> list[Band]:
    """Return the first right, the first wrong and some random wrong images; no empty band."""
    right, wrong, lot = one.right, one.wrong, draw(one)
    titled = [
        (f"The first {len(right[:FIRST])} of {len(right):,} right", right[:FIRST]),
        (f"The first {len(wrong[:FIRST])} of {len(wrong):,} wrong", wrong[:FIRST]),
        (f"{len(lot)} of {len(wrong):,} wrong, drawn with seed {one.seed}", lot),
    ]
    return [
        Band(title=title, images=tuple(images(one, indices)))
        for title, indices in titled
        if len(indices)
    ]


def draw(one: Predictions) -> NDArray[np.int64]:
    """Draw up to 16 wrong images without replacement, ascending; the seed determines them."""
    return np.sort(stream("wrong-images", one.seed).permutation(one.wrong)[:DRAWN])


def images(one: Predictions, indices: Iterable[int]) -> Iterator[ShownImage]:
    """Yield these test images with their classes and answers."""
    for index in indices:
        yield ShownImage(
            index=int(index),
            true_class=int(one.classes[index]),
            predicted=(int(one.predicted[index]),),
            probability=float(one.confidence[index]),
        )


def band_of_all(cells: Sequence[Predictions]) -> Band | None:
    """Return the first images that every cell gets wrong; None if there are none, or one cell."""
    if len(cells) < 2:
        return None
    wrong = wrong_in_all(cells)
    if not len(wrong):
        return None
    return Band(
        title=f"The first {len(wrong[:DRAWN])} of {len(wrong):,} that are wrong in every one of "
        f"the {len(cells)} cells",
        images=tuple(
            ShownImage(
                index=int(index),
                true_class=int(cells[0].classes[index]),
                predicted=tuple(sorted({int(one.predicted[index]) for one in cells})),
            )
            for index in wrong[:DRAWN]
        ),
    )
