"""Test all claims of a run together: sign flips per round.

If two cells take equally long, the log ratio of a round is as likely to be above zero as below it,
by the same amount. A flip changes the sign of a round in all claims at once, so that claims which
share the noise of a cell stay as dependent as they are. p values are adjusted by
`bench.stats.step_down`.

The assumption is joint symmetry: rounds are independent, and without a difference the log ratios of
a round may all change their sign together.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from bench.stats.step_down import DRAWS, SEED, Floats, step_down

# with at most this many rounds all flips are counted; with more, as many are drawn
MOST_EXACT_ROUNDS = 13


def as_array(ratios: Sequence[Mapping[int, float]]) -> Floats:
    """Return log ratios per round as an array with shape (claims, rounds); NaN for a lacking round.

    All of it is empty without a claim.
    """
    rounds = sorted({turn for one in ratios for turn in one})
    values = [[one.get(turn, np.nan) for turn in rounds] for one in ratios]
    return np.array(values).reshape(len(ratios), len(rounds))


def difference_p_values(ratios: Floats) -> list[float]:
    """Return a p value of no difference per claim: two-sided, adjusted for all claims.

    `ratios` has shape (claims, rounds): log ratios, NaN if a claim lacks a round. Each claim needs
    two rounds or more.
    """
    return step_down(np.abs(flipped_statistics(ratios))) if len(ratios) else []


def equivalence_p_values(ratios: Floats, reach: float) -> list[float]:
    """Return a p value of a difference of `reach` or more per claim, adjusted for all claims.

    `ratios` is as in `difference_p_values`, and `reach` a log ratio. A claim has two one-sided
    hypotheses and must reject both (Schuirmann 1987); all of them are one family.
    """
    if not len(ratios):
        return []
    sides = flipped_statistics(np.concatenate([reach + ratios, reach - ratios]))
    p_values = step_down(np.concatenate([sides, -sides]))
    claims = len(ratios)
    return [max(pair) for pair in zip(p_values[:claims], p_values[claims:], strict=True)]


def flipped_statistics(ratios: Floats) -> Floats:
    """Return the statistic of each claim for each flip, with shape (flips, claims).

    It is Student's t of the mean. If claims differ in their rounds, it is the normal quantile of
    that t: a large t means less if it comes from few rounds. The first row was observed.
    """
    known = ~np.isnan(ratios)
    values = np.where(known, ratios, 0.0)
    counts = known.sum(axis=1)
    means = flips(ratios.shape[1]) @ values.T / counts
    # flips leave the mean of squares as it is
    squares = np.sum(values**2, axis=1) / counts
    with np.errstate(divide="ignore", invalid="ignore"):
        statistics = means * np.sqrt((counts - 1) / np.maximum(squares - means**2, 0.0))
    # a claim without any difference is 0 / 0
    statistics = np.where(np.isnan(statistics), 0.0, statistics)
    return statistics if len(set(counts)) == 1 else normal_quantiles(statistics, counts - 1)


def normal_quantiles(statistics: Floats, freedom: Floats) -> Floats:
    """Return the normal values that are as far in their tail as these values of Student's t."""
    # scipy takes long to import, and most reports have all rounds of all cells
    from scipy.special import ndtri, stdtr  # noqa: PLC0415

    quantiles: Floats = np.sign(statistics) * -ndtri(stdtr(freedom, -np.abs(statistics)))
    return quantiles


def flips(rounds: int) -> Floats:
    """Return signs with shape (flips, rounds); the first row changes nothing.

    A flip and its opposite give the same t but for its sign. So the first round is never flipped
    if all flips are counted.
    """
    if rounds <= MOST_EXACT_ROUNDS:
        patterns = np.arange(2 ** (rounds - 1))[:, np.newaxis] >> np.arange(rounds) & 1
    else:
        patterns = np.random.default_rng(SEED).integers(0, 2, (DRAWS, rounds))
        patterns[0] = 0
    return np.where(patterns, -1.0, 1.0)
