"""Log ratios of a simulated run: cells in groups, noise of known shape, effects of known size."""

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from bench.stats.step_down import Floats

# The share of a cell's variance that belongs to a lane, not to the process.
OWN = 0.1
SHAPES = ("normal", "heavy-tailed", "skewed", "drifting", "bimodal", "strongly drifting")
# AR(1): how much of a round's noise stays in the next round. The first is somewhat more than
# `neighbour_correlation` finds in published runs. The strong drift is beyond the assumption that
# rounds are independent.
STAYS = {"drifting": 0.15, "strongly drifting": 0.5}


@dataclass(frozen=True, slots=True)
class Design:
    """Workloads with cells, each timed in two lanes; every two cells of a workload are a claim."""

    workloads: int
    cells: int
    lanes: int = 2

    @property
    def claims(self) -> int:
        return self.workloads * self.lanes * self.cells * (self.cells - 1) // 2


DESIGNS = (Design(1, 5, 1), Design(5, 5), Design(1, 12))


def simulate(
    draw: np.random.Generator, design: Design, shape: str, rounds: int, noise: float, effect: float
) -> tuple[Floats, Floats]:
    """Return the log ratios of all claims with shape (claims, rounds), and the true log ratios.

    `noise` is the standard deviation of a log ratio. Every other cell takes `effect` more time.
    """
    slower = np.log1p(effect) * (np.arange(design.cells) % 2)
    ratios, truth = [], []
    for _ in range(design.workloads):
        process = processes(draw, design.cells, shape, rounds)
        for _ in range(design.lanes):
            own = draw.standard_normal((design.cells, rounds))
            seconds = np.sqrt(1 - OWN) * process + np.sqrt(OWN) * own
            logarithms = slower[:, np.newaxis] + noise / np.sqrt(2) * seconds
            for first, second in combinations(range(design.cells), 2):
                ratios.append(logarithms[first] - logarithms[second])
                truth.append(slower[first] - slower[second])
    return np.array(ratios), np.array(truth)


def processes(draw: np.random.Generator, cells: int, shape: str, rounds: int) -> Floats:
    """Return noise of mean 0 and variance 1 with shape (cells, rounds).

    Only every other cell has the skewed and the bimodal shape: of two cells with the same shape the
    ratio is symmetric.
    """
    normal = draw.standard_normal((cells, rounds))
    odd = np.arange(cells)[:, np.newaxis] % 2 == 1
    if shape == "heavy-tailed":
        return draw.standard_t(3, (cells, rounds)) / np.sqrt(3)
    if shape == "skewed":
        return np.where(odd, draw.exponential(1, (cells, rounds)) - 1, normal)
    if shape == "bimodal":
        slow = draw.random((cells, rounds)) < 0.2
        return np.where(odd, (slow - 0.2) / 0.4, normal)
    if (stays := STAYS.get(shape)) is not None:
        for turn in range(1, rounds):
            normal[:, turn] = stays * normal[:, turn - 1] + np.sqrt(1 - stays**2) * normal[:, turn]
    return normal
