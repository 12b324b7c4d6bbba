"""The summary as data: one row per cell, for the report's first tables and for `--json`."""

from collections.abc import Sequence
from dataclasses import dataclass

from bench.spec import TRAIN_IMAGES, Cell, PublishedResult
from bench.stats import Estimate
from reports.results.accuracy import Accuracy
from reports.results.cells import CellResults
from reports.results.speed import Speed, paired_ratio


@dataclass(frozen=True, kw_only=True)
class SummaryRow:
    """One cell's figures, unrounded; None for a figure that it lacks.

    `gpu_speed_over_cpu`, of a cell on a GPU, is the CPU's native seconds per step over the GPU's,
    paired by round: 10 says that the GPU takes a tenth of the time.
    """

    results: CellResults
    gpu_speed_over_cpu: Estimate | None

    @property
    def speed(self) -> Speed | None:
        return self.results.speed

    @property
    def accuracy(self) -> Accuracy | None:
        return self.results.accuracy

    @property
    def published_result(self) -> PublishedResult | None:
        """Return the first published result that has an accuracy; None if there is none."""
        workload = self.results.workload
        results = workload.published if workload is not None else ()
        return next((result for result in results if result.test_accuracy is not None), None)

    @property
    def published_accuracy(self) -> float | None:
        result = self.published_result
        return None if result is None else result.test_accuracy

    @property
    def difference(self) -> float | None:
        """Return the measured minus the published test accuracy, as a fraction."""
        published = self.published_accuracy
        if self.accuracy is None or published is None:
            return None
        return self.accuracy.test_accuracy - published

    @property
    def published_verdict(self) -> str | None:
        """Return whether the published accuracy, a single draw, is like those that were measured.

        `reproduced`: it lies in the interval in which one more seed is expected in 95 % of cases.
        None if nothing was trained as the source says, or nothing was published.
        """
        published, measured = self.published_accuracy, self.accuracy
        if published is None or measured is None or not self.matches_published:
            return None
        if measured.prediction is None:
            return "too few seeds"
        low, high = measured.prediction
        return "reproduced" if low <= published <= high else "not reproduced"

    @property
    def matches_published(self) -> bool:
        """Return whether epochs, images and batch size are those of the published training."""
        workload, trained = self.results.workload, self.accuracy
        if workload is None or trained is None or self.results.has_other_batch_size:
            return False
        return trained.epochs == workload.epochs and trained.train_images == TRAIN_IMAGES


def rows_of(cells: Sequence[CellResults]) -> list[SummaryRow]:
    """Return the rows of these cells, in their order."""
    by_cell = {results.cell: results for results in cells}
    return [
        SummaryRow(results=results, gpu_speed_over_cpu=gpu_speed_over_cpu(results, by_cell))
        for results in cells
    ]


def gpu_speed_over_cpu(results: CellResults, by_cell: dict[Cell, CellResults]) -> Estimate | None:
    """Return the time of the same cell on the CPU over the GPU's; None if there is no such pair."""
    # the CPU is its own twin
    twin = by_cell.get(results.cell.but(device="cpu"))
    if twin is None or twin is results:
        return None
    return paired_ratio(twin.ranked_records, results.ranked_records)
