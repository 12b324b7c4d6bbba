"""The summary as data: a row for each cell, for the report's first tables and for `--json`."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bench.record import Record
from bench.record.run import RunModel
from bench.record.selection import ranked
from bench.spec import TRAIN_IMAGES, Cell, PublishedResult
from bench.stats import Estimate
from reports.results.accuracy import Accuracy
from reports.results.cells import CellResults, group
from reports.results.speed import Speed, paired_ratio


@dataclass(frozen=True, kw_only=True)
class SummaryRow:
    """One cell's figures, unrounded; None where it has none. `gpu_speed_over_cpu` stands at GPUs.

    It is the CPU's native seconds per step over the GPU's, paired by round: 10 says that the GPU
    takes a tenth of the time.
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
    def published(self) -> PublishedResult | None:
        """The source's result with an accuracy; the first where there are several."""
        workload = self.results.workload
        results = workload.published if workload is not None else ()
        return next((one for one in results if one.test_accuracy is not None), None)

    @property
    def published_accuracy(self) -> float | None:
        return None if self.published is None else self.published.test_accuracy

    @property
    def difference(self) -> float | None:
        """Measured minus published test accuracy, as a fraction."""
        published = self.published_accuracy
        if self.accuracy is None or published is None:
            return None
        return self.accuracy.test_accuracy - published

    @property
    def judged_published(self) -> str | None:
        """Whether the published accuracy, a single draw, could be one of ours.

        `reproduced`: it lies in the interval in which one more seed is expected in 95 % of cases.
        None where nothing was trained as the source says, or nothing was published.
        """
        published, measured = self.published_accuracy, self.accuracy
        if published is None or measured is None or not self.as_published:
            return None
        if measured.prediction is None:
            return "too few seeds"
        low, high = measured.prediction
        return "reproduced" if low <= published <= high else "not reproduced"

    @property
    def as_published(self) -> bool:
        """Whether epochs, training images and batch size are those of the published training."""
        workload, trained = self.results.workload, self.accuracy
        if workload is None or trained is None or self.results.other_batch:
            return False
        return trained.epochs == workload.epochs and trained.train_images == TRAIN_IMAGES


def summary_rows(run: RunModel, records: Iterable[Record]) -> list[SummaryRow]:
    """A row for each cell of the plan, by workload, device and backend."""
    return rows_of(group(run, records))


def rows_of(cells: Sequence[CellResults]) -> list[SummaryRow]:
    by_cell = {results.cell: results for results in cells}
    return [
        SummaryRow(results=results, gpu_speed_over_cpu=gpu_speed_over_cpu(results, by_cell))
        for results in cells
    ]


def gpu_speed_over_cpu(results: CellResults, by_cell: dict[Cell, CellResults]) -> Estimate | None:
    """The ratio of a GPU's cell to the CPU's that is equal in all else; None without one."""
    # the CPU is its own twin
    twin = by_cell.get(results.cell.but(device="cpu"))
    if twin is None or twin is results:
        return None
    return paired_ratio(ranked(twin.good("timing")), ranked(results.good("timing")))
