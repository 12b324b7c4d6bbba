"""The data of a report: a run, its records, and the values that several of its parts show."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from bench.record import Record
from bench.record.run import RunModel
from reports.results.accuracy_verdicts import AccuracyPair, accuracy_pairs
from reports.results.batch_sweep import sweep
from reports.results.caption import Caption, caption
from reports.results.cells import CellResults, group
from reports.results.content_hash import content_hash
from reports.results.framework_tax import Tax, taxes
from reports.results.speed_verdicts import RankedPair, rank
from reports.results.standings import Standings, standings
from reports.results.summary import SummaryRow, rows_of
from reports.results.training_time import TrainingTime, training_times
from reports.results.utilization import Limit, limits
from reports.results.workload import WorkloadResults, group_by_workload

SMOKE = "smoke run: not for citation"


# compared by identity: two reports of equal records are never compared
@dataclass(frozen=True, eq=False)
class Report:
    """A run and its records. Every part is computed at its first use, and then kept."""

    run: RunModel
    records: Sequence[Record]
    # the backend against which speeds are shown; None takes the usual one
    baseline: str | None = None
    # the address at which the run is published; empty without one
    url: str = ""

    @property
    def stamp(self) -> str:
        """Return the text above every figure of a smoke run; empty for other profiles."""
        return SMOKE if self.run.profile == "smoke" else ""

    @cached_property
    def content_hash(self) -> str:
        """Return the hash by which the run is cited."""
        return content_hash(self.run, self.records)

    @cached_property
    def caption(self) -> Caption:
        """Return what every figure says of the run."""
        return caption(self.run, self.records, self.content_hash)

    @cached_property
    def cells(self) -> tuple[CellResults, ...]:
        """Return the cells of the plan with their records, in the report's order."""
        return group(self.run, self.records)

    @cached_property
    def rows(self) -> Sequence[SummaryRow]:
        """Return the summary's rows, in the order of the cells."""
        return rows_of(self.cells)

    @cached_property
    def workloads(self) -> Sequence[WorkloadResults]:
        """Return the rows by workload, in the order of the cells."""
        return group_by_workload(self.rows)

    @cached_property
    def pairs(self) -> tuple[RankedPair, ...]:
        """Return the claims on speed, judged together; none for a smoke run."""
        return rank(self.run, self.cells)

    @cached_property
    def accuracy_pairs(self) -> tuple[AccuracyPair, ...]:
        """Return the claims on accuracy, judged together; none for a smoke run."""
        return accuracy_pairs(self.run, self.cells)

    @cached_property
    def default_pairs(self) -> Sequence[RankedPair]:
        """Return the claims on speed of two backends in the default mode."""
        return [pair for pair in self.pairs if is_default_pair(pair)]

    @cached_property
    def default_accuracy_pairs(self) -> Sequence[AccuracyPair]:
        """Return the claims on accuracy of two backends in the default mode."""
        return [pair for pair in self.accuracy_pairs if is_default_pair(pair)]

    @cached_property
    def standings(self) -> tuple[Standings, ...]:
        """Return how many times as fast as the baseline every timed cell is, per device."""
        return standings(self.cells, self.pairs, self.baseline, self.run.versus)

    @cached_property
    def limits(self) -> Sequence[Limit]:
        """Return the cells that have a calibrated roof and a step time."""
        return limits(self.cells, self.run.calibration)

    @cached_property
    def taxes(self) -> Sequence[Tax]:
        """Return the layers of a step of every timed cell in its default mode."""
        return taxes(self.cells, self.limits)

    @cached_property
    def sweep(self) -> Sequence[CellResults]:
        """Return the timed cells of every workload that has more than one batch size."""
        return sweep(self.cells)

    @cached_property
    def training_times(self) -> Sequence[TrainingTime]:
        """Return the phases of the trainings of every cell that was trained."""
        return training_times(self.cells)


def is_default_pair(pair: RankedPair | AccuracyPair) -> bool:
    """Return whether both cells run in the default mode, and in the same way in all else."""
    first, second = pair.first.cell.execution, pair.second.cell.execution
    return first == second and first.mode == "default"
