"""Simulate the smallest effect that a run finds: `python -m scripts.simulations.detectable`.

Prints the table of `bench/stats/detectable.py`: per number of rounds and of claims that are judged
together, the effect in standard deviations of a log ratio that nine of ten runs call FASTER or
SLOWER. The noise is normal, and the other claims are of equal cells.
"""

from itertools import combinations, product
from multiprocessing import Pool

import numpy as np

from bench.stats.detectable import CLAIMS
from bench.stats.sign_flips import flipped_statistics
from bench.stats.step_down import Floats, step_down
from scripts.simulations.rounds import is_different

ROUNDS = (6, 7, 8, 9, 10, 12, 14, 16, 20, 24, 30)
RUNS = 300
SHARE = 0.9
CELLS = 5
LARGEST = 16.0
EXACT = 0.05


def multiple(rounds: int, claims: int, runs: int = RUNS) -> float:
    """Return the effect that `SHARE` of the runs find, in standard deviations."""
    draw = np.random.default_rng([rounds, claims])
    smallest = [smallest_effect(equal_cells(draw, rounds, claims)) for _ in range(runs)]
    return round(float(np.quantile(smallest, SHARE)), 1)


def equal_cells(draw: np.random.Generator, rounds: int, claims: int) -> Floats:
    """Return log ratios of equal cells with shape (claims, rounds) and deviation 1."""
    ratios: list[Floats] = []
    while len(ratios) < claims:
        seconds = draw.standard_normal((CELLS, rounds)) / np.sqrt(2)
        ratios += [
            seconds[first] - seconds[second] for first, second in combinations(range(CELLS), 2)
        ]
    return np.array(ratios[:claims])


def smallest_effect(ratios: Floats) -> float:
    """Return the smallest shift of the first claim with which it is called different."""
    others = np.abs(flipped_statistics(ratios[1:])) if len(ratios) > 1 else None
    low, high = 0.0, LARGEST
    while high - low > EXACT:
        middle = (low + high) / 2
        low, high = (low, middle) if is_found(ratios[0] + middle, others) else (middle, high)
    return high


def is_found(ratios: Floats, others: Floats | None) -> bool:
    """Return whether the claim is called different beside the statistics of the other claims."""
    own = np.abs(flipped_statistics(ratios[np.newaxis]))
    together = own if others is None else np.concatenate([own, others], axis=1)
    p_value, *_ = step_down(together)
    return is_different(ratios, p_value)


if __name__ == "__main__":
    with Pool() as pool:
        values = pool.starmap(multiple, list(product(ROUNDS, CLAIMS)), chunksize=1)
    for place, rounds in enumerate(ROUNDS):
        of_rounds = values[place * len(CLAIMS) : (place + 1) * len(CLAIMS)]
        print(f"    {rounds}: {tuple(of_rounds)},")
