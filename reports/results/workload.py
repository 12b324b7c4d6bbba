"""The results of one workload: its rows, its trainings and its predictions."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from bench.spec import Workload
from bench.workloads import WORKLOADS
from reports.results.accuracy import Accuracy
from reports.results.cells import CellResults, workloads
from reports.results.predictions import Predictions, predictions
from reports.results.shown_images import Band, band_of_all, bands
from reports.results.summary import SummaryRow


# compared by identity, as the report to which it belongs
@dataclass(frozen=True, eq=False, kw_only=True)
class WorkloadResults:
    """The rows of one workload's cells, and the values that sections and figures need."""

    name: str
    rows: Sequence[SummaryRow]

    @property
    def definition(self) -> Workload | None:
        """Return the workload's definition; None if this samestep does not know it."""
        return WORKLOADS.get(self.name)

    @property
    def cells(self) -> list[CellResults]:
        return [row.results for row in self.rows]

    @property
    def trained_rows(self) -> list[tuple[SummaryRow, Accuracy]]:
        """Return the rows of trained cells with their accuracy."""
        return [(row, row.accuracy) for row in self.rows if row.accuracy is not None]

    @property
    def longer_rows(self) -> list[tuple[SummaryRow, Accuracy]]:
        """Return the rows of trained cells with the accuracy of their longer trainings."""
        return [
            (row, row.results.longer_accuracy)
            for row, _ in self.trained_rows
            if row.results.longer_accuracy is not None
        ]

    @cached_property
    def predictions(self) -> list[Predictions]:
        """Return the predictions of each cell that has them for all test images."""
        return predictions(self.cells)

    @cached_property
    def bands(self) -> list[Band]:
        """Return the images of the gallery, that of the first predictions; empty without any."""
        return bands(self.predictions[0]) if self.predictions else []

    @cached_property
    def band_of_all(self) -> Band | None:
        """Return the images that every cell gets wrong; None if there are none."""
        return band_of_all(self.predictions)


def group_by_workload(rows: Sequence[SummaryRow]) -> list[WorkloadResults]:
    """Group the rows by workload, in the order of the rows."""
    return [
        WorkloadResults(name=name, rows=[row for row in rows if row.results.cell.workload == name])
        for name in workloads([row.results for row in rows])
    ]
