"""Compare sides: each with the first; all claims of the comparison are judged together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import TypeAlias

from bench.stats import Claim, judge_repeated, judge_rounds, judge_runs
from bench.stats.comparison import Rounds
from reports.compare.means import ComparedMean, group_means
from reports.compare.pairs import ComparedCell, Matchup, pair_cells
from reports.compare.sides import ComparedRun, Side

Judged: TypeAlias = ComparedCell | ComparedMean
Claims: TypeAlias = dict[Judged, Claim]
# more than the rounds of any run
ROUNDS_OF_A_RUN = 1_000_000


@dataclass(frozen=True, kw_only=True)
class ComparedSides:
    """The sides with their cells, and the means over the workloads of each backend."""

    sides: tuple[Side, ...]
    cells: tuple[ComparedCell, ...]
    means: tuple[ComparedMean, ...]

    @property
    def runs(self) -> tuple[ComparedRun, ...]:
        """Return all runs, those of the first side first."""
        return tuple(compared for side in self.sides for compared in side.runs)

    @property
    def matchups(self) -> dict[str, Matchup]:
        """Return what is compared with what, by its title."""
        return {cell.matchup.title: cell.matchup for cell in self.cells}


def compare(sides: Sequence[Side]) -> ComparedSides:
    """Compare each side with the first; the devices of a run if it is the only side."""
    first, *others = sides
    cells = [
        cell
        for other in others or [first]
        for cell in pair_cells(first, other, is_alone=len(sides) < 3)
    ]
    means = group_means(cells)
    claims = judge([*(cell for cell in cells if cell.refusal is None), *filter(is_judged, means)])
    judged = {cell: replace(cell, claim=claims.get(cell)) for cell in cells}
    return ComparedSides(
        sides=tuple(sides),
        cells=tuple(judged.values()),
        means=tuple(judged_mean(mean, judged, claims) for mean in means),
    )


def is_judged(mean: ComparedMean) -> bool:
    """Return whether a mean has a claim of its own; over one workload it is the cell itself."""
    return len(mean.cells) > 1


def judged_mean(
    mean: ComparedMean, judged: Mapping[ComparedCell, ComparedCell], claims: Claims
) -> ComparedMean:
    """Return the mean with its claim, over the cells that have theirs."""
    return ComparedMean(
        cells=tuple(judged[cell] for cell in mean.cells),
        claim=claims[mean if is_judged(mean) else mean.cells[0]],
    )


def judge(items: Sequence[Judged]) -> Claims:
    """Return the claims: over repeated runs, round by round within a run, or between two runs."""
    repeated = [item for item in items if item.matchup.is_repeated]
    shared = [item for item in items if item.matchup.same_run]
    between = [item for item in items if item not in repeated and item not in shared]
    return {
        **zip_claims(repeated, judge_repeated([item.samples for item in repeated])),
        **zip_claims(shared, judge_rounds([pooled_samples(item) for item in shared])),
        **judge_between(between),
    }


def judge_between(items: Sequence[Judged]) -> Claims:
    """Return the claims on cells of two sides with too few runs to show how much runs differ."""
    by_side: dict[str, list[Judged]] = {}
    for item in items:
        by_side.setdefault(item.matchup.other.name, []).append(item)
    claims = judge_runs([[pooled_samples(item) for item in side] for side in by_side.values()])
    return zip_claims([*chain.from_iterable(by_side.values())], [*chain.from_iterable(claims)])


def pooled_samples(item: Judged) -> tuple[Rounds, Rounds]:
    """Return the seconds by round of the other side and of the first; runs follow each other."""
    other, first = item.samples
    return pool(other), pool(first)


def pool(runs: Sequence[Rounds]) -> Rounds:
    """Return the rounds of all runs of a side with distinct numbers."""
    return {
        number * ROUNDS_OF_A_RUN + turn: seconds
        for number, run in enumerate(runs)
        for turn, seconds in run.items()
    }


def zip_claims(items: Sequence[Judged], claims: Sequence[Claim]) -> Claims:
    return dict(zip(items, claims, strict=True))
