"""Judge repeated runs of two sides: how much the runs of a side differ decides, not their rounds.

A run differs from the next as a whole: other clocks, another placement of memory, other neighbours.
Its rounds share that, so that no number of rounds shows it. Here a run is a single value per cell:
the mean of its log seconds. The sides are compared by Welch's t test over runs.
"""

import math
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np

from bench.stats.comparison import (
    POWER,
    SAME_WITHIN,
    Comparison,
    Rounds,
    agreement,
    effect_size,
    logarithms,
)
from bench.stats.equivalence import tail_probability, welch
from bench.stats.estimates import CONFIDENCE, SMALLEST_SAMPLE, Estimate, student_t
from bench.stats.holm import holm
from bench.stats.step_down import Floats
from bench.stats.verdicts import LEVEL, Claim, Verdict, percent

# with two values a side has one degree of freedom, whose t test finds next to nothing
FEWEST_RUNS = 3

# the seconds by round of a cell in each run of one side, and in each run of the other side
Sides: TypeAlias = tuple[Sequence[Rounds], Sequence[Rounds]]
# the value of each run of both sides
Values: TypeAlias = tuple[Floats, Floats]


def judge_repeated(cells: Sequence[Sides]) -> list[Claim]:
    """Return one claim per cell, in their order: of its first side against its second side.

    Pass all that are published together: they are one family, adjusted by Holm's method,
    differences separately from equalities. A run counts in a cell if it has `SMALLEST_SAMPLE` good
    rounds of it.
    """
    values = [(run_values(first), run_values(second)) for first, second in cells]
    tested = [pair for pair in values if has_runs(pair)]
    different = iter(holm([difference_p_value(pair) for pair in tested]))
    same = iter(holm([equivalence_p_value(pair) for pair in tested]))
    return [
        claim(pair, next(different), next(same), len(tested)) if has_runs(pair) else undecided(pair)
        for pair in values
    ]


def run_values(runs: Sequence[Rounds]) -> Floats:
    """Return the mean log seconds of each run that has enough good rounds."""
    good = [run for run in runs if len(run) >= SMALLEST_SAMPLE]
    return np.array([float(np.mean(logarithms(run))) for run in good])


def has_runs(values: Values) -> bool:
    """Return whether each side has the runs that a verdict needs."""
    return min(map(len, values)) >= FEWEST_RUNS


def mean_difference(values: Values) -> float:
    """Return the log ratio of the sides: the mean of the first minus that of the second."""
    first, second = values
    return float(np.mean(first) - np.mean(second))


def difference_p_value(values: Values) -> float:
    """Return the two-sided p value of no difference between the means of the sides.

    Welch 1947, "The generalization of 'Student's' problem when several different population
    variances are involved", Biometrika 34:28-35.
    """
    return 2 * tail_probability(abs(mean_difference(values)), *error(values))


def equivalence_p_value(values: Values) -> float:
    """Return the p value of a difference of `SAME_WITHIN` or more.

    It is the larger of two one-sided p values (Schuirmann 1987, "A comparison of the two one-sided
    tests procedure and the power approach", J. Pharmacokinetics and Biopharmaceutics 15:657-680).
    """
    distance = math.log1p(SAME_WITHIN) - abs(mean_difference(values))
    return tail_probability(distance, *error(values))


def error(values: Values) -> tuple[float, float]:
    """Return the standard error of the difference of means, and its degrees of freedom.

    Satterthwaite 1946, "An approximate distribution of estimates of variance components",
    Biometrics Bulletin 2:110-114.
    """
    first, second = values
    return welch(first.tolist(), second.tolist())


def compare_repeated(values: Values) -> Comparison:
    """Return the ratio of the sides with its 95 % interval, from the t of the test.

    The ratio is that of the geometric means over runs; `n` is the smaller number of runs, and
    `agreement` the share of the pairs of a run of each side that lie on the ratio's side of 1.
    """
    first, second = values
    difference, (spread, freedom) = mean_difference(values), error(values)
    reach = student_t((1 + CONFIDENCE) / 2, freedom) * spread
    ratio = Estimate(
        value=math.exp(difference),
        low=math.exp(difference - reach),
        high=math.exp(difference + reach),
        n=min(len(first), len(second)),
    )
    return Comparison(
        ratio=ratio,
        agreement=agreement((first[:, np.newaxis] - second).ravel()),
        deviation=math.hypot(np.std(first, ddof=1), np.std(second, ddof=1)),
    )


def detectable(values: Values, claims: int) -> float:
    """Return the effect that nine of ten such comparisons find, among `claims` cells.

    It is a multiple of the standard error (Bloom 1995, "Minimum detectable effects", Evaluation
    Review 19:547-556), at the level of Holm's first step.
    """
    spread, freedom = error(values)
    power = student_t(POWER, freedom) * spread
    shown = student_t(1 - LEVEL / (2 * claims), freedom) * spread + power
    return effect_size(max(shown, math.log1p(SAME_WITHIN) + power))


def claim(values: Values, different: float, same: float, claims: int) -> Claim:
    """Return the claim on a cell, from adjusted p values."""
    comparison = compare_repeated(values)
    verdict, reason = decide(comparison, different, same)
    return Claim(
        comparison=comparison,
        verdict=verdict,
        reason=reason,
        p_value=different,
        equivalence_p_value=same,
        detectable=detectable(values, claims),
    )


def decide(comparison: Comparison, different: float, same: float) -> tuple[Verdict, str]:
    """Return the verdict and its reason, from adjusted p values."""
    if same < LEVEL:
        return Verdict.SAME, f"within {percent(SAME_WITHIN)}, adjusted p {same:.2g}"
    if different >= LEVEL:
        return Verdict.UNCLEAR, f"the runs of a side differ too much, adjusted p {different:.2g}"
    if comparison.effect < SAME_WITHIN:
        counts = f"the {percent(SAME_WITHIN)} that counts"
        return Verdict.UNCLEAR, f"{percent(comparison.effect)} is under {counts}"
    verdict = Verdict.FASTER if comparison.ratio.value < 1 else Verdict.SLOWER
    return verdict, f"{comparison.n} runs per side, adjusted p {different:.2g}"


def undecided(values: Values) -> Claim:
    """Return the claim on a cell that has too few good runs on a side."""
    known = min(map(len, values))
    return Claim(
        comparison=compare_few(values),
        verdict=Verdict.UNDECIDED,
        reason=f"{known} of the {FEWEST_RUNS} runs with {SMALLEST_SAMPLE} good rounds "
        "that a verdict needs",
    )


def compare_few(values: Values) -> Comparison | None:
    """Return the ratio of the sides without an interval; None if a side has no good run."""
    if not min(map(len, values)):
        return None
    first, second = values
    ratio = math.exp(mean_difference(values))
    estimate = Estimate(value=ratio, low=None, high=None, n=min(len(first), len(second)))
    return Comparison(ratio=estimate, agreement=agreement((first[:, np.newaxis] - second).ravel()))
