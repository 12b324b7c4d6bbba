"""Make many runs from one: draw rounds repeatedly from the measured rounds."""

import random
from collections.abc import Iterator, Mapping

from bench.stats import Claim, judge_rounds

Rounds = Mapping[int, float]

SEED = 20_261_124


def claims(first: Rounds, second: Rounds, size: int, count: int) -> Iterator[Claim]:
    """Yield the claims of `count` draws of `size` rounds with replacement, each judged alone."""
    draw = random.Random(SEED)
    known = sorted(first.keys() & second.keys())
    for _ in range(count):
        chosen = draw.choices(known, k=size)
        yield claim(
            {turn: first[known_turn] for turn, known_turn in enumerate(chosen)},
            {turn: second[known_turn] for turn, known_turn in enumerate(chosen)},
        )


def exchange(first: Rounds, second: Rounds, size: int, count: int) -> Iterator[Claim]:
    """Yield the claims of draws without replacement, in which names are exchanged at random.

    If both names mean the same cell, every exchange is as likely as the measured order.
    """
    draw = random.Random(SEED)
    known = sorted(first.keys() & second.keys())
    for _ in range(count):
        chosen = draw.sample(known, k=size)
        pairs = [
            (second[turn], first[turn]) if draw.random() < 0.5 else (first[turn], second[turn])
            for turn in chosen
        ]
        yield claim(
            {turn: left for turn, (left, _) in enumerate(pairs)},
            {turn: right for turn, (_, right) in enumerate(pairs)},
        )


def claim(first: Rounds, second: Rounds) -> Claim:
    """Return the claim of a report with only this comparison."""
    return judge_rounds([(first, second)])[0]
