"""Simulate comparisons of two sides and count verdicts: `python -m scripts.simulations.runs`.

Writes docs/simulations/runs.json. Nothing differs between the sides but chance, or every other
configuration of the second side takes a planted effect more time. The rules are those of
`samestep compare`, with one run per side and with three.
"""

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from bench.files import write_atomically
from bench.stats import FEWEST_RUNS, Claim, Verdict, judge_repeated, judge_runs
from bench.stats.step_down import Floats
from scripts.pages import marked

FILE = marked.ROOT / "docs" / "simulations" / "runs.json"
CONFIGURATIONS = 10
ROUNDS = 10
# the standard deviation of log seconds from round to round of a quiet machine
NOISE = 0.02
# AR(1): how much of a round's drift stays in the next round; with 0.9, the mean of a run varies as
# much as with an offset of nearly the same size
STAYS = 0.7
EFFECTS = (0.10, 0.20)
FAIL_SLOWER = 0.10
COMPARISONS = 1_000
DIFFERENT = (Verdict.FASTER, Verdict.SLOWER)


@dataclass(frozen=True, slots=True)
class Machine:
    """How runs of one machine differ though nothing changed: standard deviations of log seconds.

    `offset` is one value per run, `own_offset` one per run and configuration. `drift` wanders from
    round to round, in all configurations together.
    """

    words: str
    offset: float = 0.0
    own_offset: float = 0.0
    drift: float = 0.0

    def seconds(self, draw: np.random.Generator) -> Floats:
        """Return the log seconds of a run with shape (configurations, rounds)."""
        shape = CONFIGURATIONS, ROUNDS
        return (
            draw.normal(0, NOISE, shape)
            + draw.normal(0, self.offset)
            + draw.normal(0, self.own_offset, (CONFIGURATIONS, 1))
            + wander(draw, self.drift)
        )


def wander(draw: np.random.Generator, deviation: float) -> Floats:
    """Return a stationary AR(1) series of this standard deviation, one value per round."""
    steps = draw.normal(0, deviation, ROUNDS)
    for turn in range(1, ROUNDS):
        steps[turn] = STAYS * steps[turn - 1] + math.sqrt(1 - STAYS**2) * steps[turn]
    return steps


MACHINES = (
    Machine("nothing"),
    *(Machine(f"an offset per run, sd {sd} %", offset=sd / 100) for sd in (2, 3, 5, 10)),
    Machine("an offset per run and configuration, sd 3 %", own_offset=0.03),
    *(Machine(f"slow drift within runs, sd {sd} %", drift=sd / 100) for sd in (5, 10)),
)


def settings() -> Iterator[tuple[Machine, int]]:
    """Yield the machine and the runs per side of each row."""
    yield from product(MACHINES, (1, FEWEST_RUNS))


def row(machine: Machine, runs: int, comparisons: int = COMPARISONS) -> dict[str, Any]:
    """Return the rates of one setting over `comparisons` simulated comparisons.

    `false`: comparisons with at least one false FASTER or SLOWER, and `fails` with a false failure
    of `--fail-slower 10%`. `found`: share of the planted effects that are SLOWER, by effect.
    """
    draw = np.random.default_rng([MACHINES.index(machine), runs])
    claims = [compare(machine, draw, runs) for _ in range(comparisons)]
    return {
        "machine": machine.words, "runs": runs, "comparisons": comparisons,
        "false": share([any(map(is_different, each)) for each in claims]),
        "fails": share([any(map(fails, each)) for each in claims]),
        "found": {
            f"{effect:.0%}": share([
                claim.verdict is Verdict.SLOWER
                for _ in range(comparisons // 10)
                for claim in compare(machine, draw, runs, effect)[1::2]
            ])
            for effect in EFFECTS
        },
    }  # fmt: skip


def compare(
    machine: Machine, draw: np.random.Generator, runs: int, effect: float = 0.0
) -> list[Claim]:
    """Return the claims on the second side; every other configuration takes `effect` more time."""
    planted = math.log1p(effect) * (np.arange(CONFIGURATIONS) % 2)[:, np.newaxis]
    first = [machine.seconds(draw) for _ in range(runs)]
    second = [machine.seconds(draw) + planted for _ in range(runs)]
    sides = [
        ([rounds(run[place]) for run in second], [rounds(run[place]) for run in first])
        for place in range(CONFIGURATIONS)
    ]
    if runs >= FEWEST_RUNS:
        return judge_repeated(sides)
    return judge_runs([[(later[0], earlier[0]) for later, earlier in sides]])[0]


def rounds(logarithms: Floats) -> dict[int, float]:
    """Return the seconds by round."""
    return dict(enumerate(np.exp(logarithms).tolist()))


def is_different(claim: Claim) -> bool:
    return claim.verdict in DIFFERENT


def fails(claim: Claim) -> bool:
    """Return whether `--fail-slower 10%` fails because of this claim."""
    assert claim.comparison is not None, "a simulated run has rounds"
    return claim.verdict is Verdict.SLOWER and claim.comparison.ratio.value >= 1 + FAIL_SLOWER


def share(values: Sequence[bool]) -> float:
    return round(float(np.mean(values)), 4)


if __name__ == "__main__":
    rows = [row(*setting) for setting in settings()]
    FILE.parent.mkdir(exist_ok=True)
    write_atomically(FILE, (json.dumps(rows, indent=1) + "\n").encode())
