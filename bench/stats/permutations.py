"""Test all claims of a comparison of two runs together: permutations of their rounds.

If nothing but chance differs between two runs, each of their rounds could be in either. A
permutation moves a round with all its trials, so that claims stay as dependent as they are. The
statistic is Welch's t (1947). p values are adjusted by `bench.stats.step_down`.
"""

import math
from collections.abc import Mapping, Sequence
from typing import TypeAlias

import numpy as np

from bench.stats.sign_flips import as_array
from bench.stats.step_down import DRAWS, SEED, Floats, step_down

# seconds per round of a cell in one run, and of the same cell in another run
Samples: TypeAlias = tuple[Mapping[int, float], Mapping[int, float]]


def difference_p_values(runs: Sequence[Sequence[Samples]]) -> list[float]:
    """Return a p value of no difference per claim: two-sided, adjusted for the claims of all runs.

    `runs` has the claims of every other run against the first; each claim needs two rounds or more
    of both runs.
    """
    statistics = [permuted_statistics(*pool(claims)) for claims in runs]
    return step_down(np.abs(np.concatenate(statistics, axis=1))) if statistics else []


def pool(claims: Sequence[Samples]) -> tuple[Floats, int]:
    """Return log seconds with shape (claims, rounds of both runs), and the rounds of one run.

    The value is NaN if a claim lacks a round. The faster run comes first: so the drawn permutations
    do not depend on which run is compared with which.
    """
    runs = [as_array([log_seconds(claim[side]) for claim in claims]) for side in (0, 1)]
    runs.sort(key=lambda values: float(np.nanmean(values)))
    return np.concatenate(runs, axis=1), runs[0].shape[1]


def log_seconds(seconds: Mapping[int, float]) -> dict[int, float]:
    """Return the logarithm of the seconds of each round."""
    return {turn: math.log(value) for turn, value in seconds.items()}


def permuted_statistics(values: Floats, first: int) -> Floats:
    """Return Welch's t of each claim for each permutation, with shape (permutations, claims).

    The first `first` columns of `values` are of one run. The first row was observed.
    """
    known = ~np.isnan(values)
    centred = np.where(known, values - np.nanmean(values, axis=1, keepdims=True), 0.0)
    chosen = permutations(values.shape[1], first)
    mean, error = moments(chosen, centred, known)
    other_mean, other_error = moments(1 - chosen, centred, known)
    with np.errstate(divide="ignore", invalid="ignore"):
        statistics = (mean - other_mean) / np.sqrt(error + other_error)
    return np.where(np.isnan(statistics), 0.0, statistics)


def moments(chosen: Floats, values: Floats, known: Floats) -> tuple[Floats, Floats]:
    """Return mean and squared standard error of the chosen rounds, each (permutations, claims)."""
    counts = chosen @ known.T
    with np.errstate(divide="ignore", invalid="ignore"):
        means = chosen @ values.T / counts
        variances = (chosen @ (values**2).T - counts * means**2) / (counts - 1)
        return means, np.maximum(variances, 0.0) / counts


def permutations(rounds: int, first: int) -> Floats:
    """Return 1 for the rounds that are the first run's, with shape (permutations, rounds)."""
    draw = np.random.default_rng(SEED)
    order = draw.permuted(np.tile(np.arange(rounds), (DRAWS, 1)), axis=1)
    order[0] = np.arange(rounds)
    return (order < first).astype(np.float64)
