"""Many runs out of one: rounds drawn again and again from those that were measured."""

import random
from collections.abc import Iterator, Mapping

from bench.stats import Claim, compare_rounds, judge

Rounds = Mapping[int, float]

SEED = 20_261_124


def claims(first: Rounds, second: Rounds, size: int, count: int) -> Iterator[Claim]:
    """Claims of `count` draws of `size` rounds with replacement, each judged on its own."""
    draw = random.Random(SEED)
    known = sorted(first.keys() & second.keys())
    for _ in range(count):
        chosen = draw.choices(known, k=size)
        yield claim(
            {turn: first[known_turn] for turn, known_turn in enumerate(chosen)},
            {turn: second[known_turn] for turn, known_turn in enumerate(chosen)},
        )


def exchanged(first: Rounds, second: Rounds, size: int, count: int) -> Iterator[Claim]:
    """The same for two names of one thing: rounds without replacement, names swapped by a coin.

    Where both names mean the same, every swap is as likely as what was seen.
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
            {turn: one for turn, (one, _) in enumerate(pairs)},
            {turn: other for turn, (_, other) in enumerate(pairs)},
        )


def claim(first: Rounds, second: Rounds) -> Claim:
    """What a report with this one comparison would say."""
    return judge([compare_rounds(first, second)])[0]
