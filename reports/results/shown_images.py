"""Which test images a gallery shows, and what stands below each: for picture and text twin."""

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
    """`predicted`: the different answers, ascending; `probability`: that of a single cell's."""

    index: int
    true_class: int
    predicted: tuple[int, ...]
    probability: float | None = None

    @property
    def answers(self) -> str:
        return ", ".join(map(str, self.predicted))

    @property
    def caption(self) -> str:
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
    """Images under one title."""

    title: str
    images: tuple[ShownImage, ...]


def bands(one: Predictions) -> list[Band]:
    """The first right, the first wrong, and some of the wrong by lot; none without an image."""
    right, wrong, lot = one.right, one.wrong, drawn(one)
    titled = [
        (f"The first {len(right[:FIRST])} of {len(right):,} right", right[:FIRST]),
        (f"The first {len(wrong[:FIRST])} of {len(wrong):,} wrong", wrong[:FIRST]),
        (f"{len(lot)} of {len(wrong):,} wrong, drawn with seed {one.seed}", lot),
    ]
    return [
        Band(title=title, images=tuple(answered(one, indices)))
        for title, indices in titled
        if len(indices)
    ]


def drawn(one: Predictions) -> NDArray[np.int64]:
    """Up to 16 wrong images without replacement, ascending; the same seed draws the same ones."""
    return np.sort(stream("wrong-images", one.seed).permutation(one.wrong)[:DRAWN])


def answered(one: Predictions, indices: Iterable[int]) -> Iterator[ShownImage]:
    for index in indices:
        yield ShownImage(
            index=int(index),
            true_class=int(one.classes[index]),
            predicted=(int(one.predicted[index]),),
            probability=float(one.confidence[index]),
        )


def band_of_all(found: Sequence[Predictions]) -> Band | None:
    """The first images that every one of several cells gets wrong; None where there are none."""
    if len(found) < 2:
        return None
    wrong = wrong_in_all(found)
    if not len(wrong):
        return None
    return Band(
        title=f"The first {len(wrong[:DRAWN])} of {len(wrong):,} that are wrong in every one of "
        f"the {len(found)} cells",
        images=tuple(
            ShownImage(
                index=int(index),
                true_class=int(found[0].classes[index]),
                predicted=tuple(sorted({int(one.predicted[index]) for one in found})),
            )
            for index in wrong[:DRAWN]
        ),
    )
