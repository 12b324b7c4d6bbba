"""The test accuracy of the same cells in several runs, side by side."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from reports.accuracy import Accuracy
from reports.cells import CellResults
from reports.compare.pairs import ComparedRun, in_both
from reports.ledger import differing
from reports.text import NOTHING, escape, percent, points, table


@dataclass(frozen=True, kw_only=True)
class ComparedAccuracy:
    """What the trainings of a cell in `run` and of the same cell in the first run ended with."""

    run: str
    cell: CellResults
    first: Accuracy
    other: Accuracy

    @property
    def otherwise(self) -> str:
        """How the other run trained another way than the first; nothing where it did not."""
        ways = [
            {"epochs": str(one.epochs), "train_images": str(one.train_images)}
            for one in (self.first, self.other)
        ]
        return "; ".join(differing(*ways, list(ways[0])))

    @property
    def difference(self) -> float | None:
        """The other run's mean minus the first's, a fraction; None for another training."""
        if self.otherwise:
            return None
        return self.other.test_accuracy - self.first.test_accuracy


def accuracies(runs: Sequence[ComparedRun]) -> Iterator[ComparedAccuracy]:
    first, *others = runs
    for other in others:
        for cell, twin in in_both(first, other, "accuracy"):
            if cell.accuracy is not None and twin.accuracy is not None:
                yield ComparedAccuracy(
                    run=other.name, cell=cell, first=cell.accuracy, other=twin.accuracy
                )


def section(runs: Sequence[ComparedRun]) -> Iterator[str]:
    rows = [row(one) for one in accuracies(runs)]
    if rows:
        headers = ["workload", "backend", "device", "first", "first n", "run", "its", "its n",
                   "difference (points)", "trained otherwise"]  # fmt: skip
        yield "## Accuracy of the same cells"
        yield table(headers, rows, "first,first n,its,its n,difference (points)")
        yield (
            "Test accuracy after the last epoch, the mean over n seeds, and the difference in "
            "percentage points; there is none where the trainings were not the same. It is no "
            "verdict: two seeds of one and the same cell differ too."
        )


def row(one: ComparedAccuracy) -> list[str]:
    return [
        escape(one.cell.cell.workload),
        escape(one.cell.cell.backend),
        escape(one.cell.device),
        percent(one.first.test_accuracy),
        str(len(one.first.seeds)),
        escape(one.run),
        percent(one.other.test_accuracy),
        str(len(one.other.seeds)),
        points(one.difference),
        one.otherwise or NOTHING,
    ]
