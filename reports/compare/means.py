"""The geometric mean over workloads: how many times as fast a backend is on the other side."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from bench.stats import Claim
from bench.stats.comparison import Rounds
from reports.compare.pairs import ComparedCell, Matchup
from reports.results.cells import CellResults


@dataclass(frozen=True, kw_only=True, eq=False)
class ComparedMean:
    """A backend with its settings in one lane, over the workloads that may be compared.

    With a single workload the claim is that of its cell.
    """

    cells: tuple[ComparedCell, ...]
    claim: Claim | None = None

    @property
    def matchup(self) -> Matchup:
        return self.cells[0].matchup

    @property
    def lane(self) -> str:
        return self.cells[0].lane

    @property
    def workloads(self) -> tuple[str, ...]:
        return tuple(cell.first.cell.workload for cell in self.cells)

    @property
    def samples(self) -> tuple[list[Rounds], list[Rounds]]:
        """Return the seconds per image by round in each run of the other side, and of the first.

        They are geometric means over the workloads, in rounds with a good trial of each.
        """
        other = [cell.other_results for cell in self.cells]
        first = [cell.first_results for cell in self.cells]
        return (
            [mean_seconds(run, self.lane) for run in zip(*other, strict=True)],
            [mean_seconds(run, self.lane) for run in zip(*first, strict=True)],
        )


def mean_seconds(results: Sequence[CellResults], lane: str) -> Rounds:
    """Return the geometric mean of the seconds per image, in rounds with all of these cells."""
    cells = [
        {
            turn: math.log(seconds / cell.cell.execution.batch_size)
            for turn, seconds in cell.seconds[lane].items()
        }
        for cell in results
    ]
    rounds = sorted(set.intersection(*(set(cell) for cell in cells)))
    return {turn: math.exp(fmean(cell[turn] for cell in cells)) for turn in rounds}


def group_means(cells: Sequence[ComparedCell]) -> list[ComparedMean]:
    """Return the means of the cells that may be compared, by what is compared, backend and lane."""
    groups: dict[tuple[object, ...], list[ComparedCell]] = {}
    for cell in cells:
        if cell.refusal is None:
            groups.setdefault((*sort_key(cell), cell.lane), []).append(cell)
    return [ComparedMean(cells=tuple(group)) for group in groups.values()]


def sort_key(cell: ComparedCell) -> tuple[object, ...]:
    """Return what the cells of a mean have in common, except their lane."""
    return cell.matchup.other.name, cell.matchup.hardware, backend_settings(cell.first)


def backend_settings(results: CellResults) -> tuple[str, str]:
    """Return the backend and its settings other than the device."""
    return results.cell.backend, ", ".join(results.device.split(", ")[1:])
