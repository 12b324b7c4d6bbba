"""Simulate the seconds of two cells over the rounds of runs with a known ratio."""

from collections.abc import Iterator

import numpy as np

Rounds = dict[int, float]


def runs(
    count: int, ratio: float = 1.0, *, noise: float = 0.01, rounds: int = 10, shared: float = 0.02
) -> Iterator[tuple[Rounds, Rounds]]:
    """Yield runs of two cells, whose seconds have the true `ratio` of the first to the second.

    `shared` noise is the same in both trials of a round. Both noises are standard deviations of
    logarithms.
    """
    draw = np.random.default_rng(2_026)
    for _ in range(count):
        machine = draw.normal(0, shared, rounds)
        first = np.log(ratio) + machine + draw.normal(0, noise, rounds)
        second = machine + draw.normal(0, noise, rounds)
        yield seconds(first), seconds(second)


def seconds(logarithms: np.ndarray) -> Rounds:
    return dict(enumerate(np.exp(logarithms).tolist()))
