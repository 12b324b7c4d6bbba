"""Simulate runs and count false and found verdicts: `python -m scripts.simulations.rounds`.

Writes docs/simulations/rounds.json. The verdicts are those of `bench.stats`, beside those of the
rule before: signed-rank tests with Holm's adjustment, and the same conditions.
"""

import json
from collections.abc import Iterator, Sequence
from functools import cache, partial
from itertools import product
from multiprocessing import Pool
from typing import Any

import numpy as np
from scipy.stats import rankdata

from bench.files import write_atomically
from bench.stats.comparison import compare_rounds
from bench.stats.holm import holm
from bench.stats.sign_flips import difference_p_values
from bench.stats.step_down import Floats
from bench.stats.verdicts import LEVEL, OF_ROUNDS, Verdict, decide
from scripts.pages import marked
from scripts.simulations.noise import DESIGNS, SHAPES, Design, simulate

FILE = marked.ROOT / "docs" / "simulations" / "rounds.json"
ROUNDS = (6, 8, 10, 12, 16, 20)
EFFECTS = (0.0, 0.05, 0.10)
NOISE = 0.02
RUNS = 200
DIFFERENT = (Verdict.FASTER, Verdict.SLOWER)


def settings() -> Iterator[tuple[Design, str, int, float]]:
    """Yield design, shape of the noise, rounds and effect of each row."""
    yield from product(DESIGNS, SHAPES, ROUNDS, EFFECTS)


def row(design: Design, shape: str, rounds: int, effect: float, runs: int = RUNS) -> dict[str, Any]:
    """Return the rates of one setting over `runs` simulated runs.

    `false`: runs with at least one false difference; `found`: share of the true differences.
    """
    draw = np.random.default_rng([design.claims, SHAPES.index(shape), rounds, round(100 * effect)])
    counts: dict[str, list[tuple[bool, float]]] = {"max_t": [], "holm": []}
    for _ in range(runs):
        ratios, truth = simulate(draw, design, shape, rounds, NOISE, effect)
        for rule, p_values in (
            ("max_t", difference_p_values(ratios)),
            ("holm", holm(signed_rank_p_values(ratios))),
        ):
            counts[rule].append(count(different(ratios, p_values), truth))
    return {
        "claims": design.claims, "noise": shape, "rounds": rounds, "effect": effect, "runs": runs,
        **{rule: rates(each, effect) for rule, each in counts.items()},
    }  # fmt: skip


def rates(counts: Sequence[tuple[bool, float]], effect: float) -> dict[str, float | None]:
    false, found = zip(*counts, strict=True)
    return {
        "false": round(float(np.mean(false)), 4),
        "found": round(float(np.mean(found)), 4) if effect else None,
    }


def different(ratios: Floats, p_values: Sequence[float]) -> Floats:
    """Return per claim whether the whole rule calls its cells different."""
    pairs = zip(ratios, p_values, strict=True)
    return np.array([p_value < LEVEL and is_different(one, p_value) for one, p_value in pairs])


def is_different(ratios: Floats, p_value: float) -> bool:
    """Return whether a claim is FASTER or SLOWER by every condition."""
    seconds = dict(enumerate(np.exp(ratios).tolist()))
    comparison = compare_rounds(seconds, dict.fromkeys(seconds, 1.0))
    assert comparison is not None, "a simulated run has rounds"
    return decide(comparison, p_value, OF_ROUNDS)[0] in DIFFERENT


def count(called: Floats, truth: Floats) -> tuple[bool, float]:
    """Return whether a false difference was called, and the share of the true ones that were."""
    true = truth != 0
    return bool(np.any(called & ~true)), float(np.mean(called[true])) if np.any(true) else 0.0


def signed_rank_p_values(ratios: Floats) -> list[float]:
    """Return the exact two-sided p value of Wilcoxon's signed ranks per claim (Wilcoxon 1945)."""
    ranks = rankdata(np.abs(ratios), axis=1)
    above = np.sum(ranks * (ratios > 0), axis=1)
    most = ratios.shape[1] * (ratios.shape[1] + 1) // 2
    smaller = np.minimum(above, most - above)
    chances = np.cumsum(rank_sum_chances(ratios.shape[1]))
    return [float(min(1.0, 2 * chances[int(value)])) for value in smaller]


@cache
def rank_sum_chances(rounds: int) -> Floats:
    """Return the chance of each sum of the ranks above zero, if signs are drawn at random."""
    chances = np.ones(1)
    for rank in range(1, rounds + 1):
        wider = np.concatenate([chances, np.zeros(rank)])
        wider[rank:] += chances
        chances = wider / 2
    return chances


if __name__ == "__main__":
    with Pool() as pool:
        rows = pool.starmap(partial(row), list(settings()), chunksize=1)
    FILE.parent.mkdir(exist_ok=True)
    write_atomically(FILE, (json.dumps(rows, indent=0) + "\n").encode())
