"""Compare the test accuracy of the same cells in several runs."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bench.stats import AccuracyClaim, compare_means, judge_means
from reports.compare.pairs import matched_cells
from reports.compare.sides import Side
from reports.results import comparability
from reports.results.accuracy import Accuracy
from reports.results.accuracy_verdicts import final_accuracies
from reports.results.cells import CellResults
from reports.results.settings import Values
from reports.sections.accuracy_verdicts import interval
from reports.sections.columns import cell_names
from reports.text import NOTHING, escape, percent, points, table


@dataclass(frozen=True, kw_only=True)
class ComparedAccuracy:
    """The accuracy of a cell in `run` (`other`) and of the same cell in the first run (`first`).

    It has either a claim on the other run's mean minus the first's, or a refusal, which says how
    the trainings differ; the other of the two is None or empty.
    """

    run: str
    cell: CellResults
    first: Accuracy
    other: Accuracy
    refusal: str
    claim: AccuracyClaim | None


def accuracies(sides: Sequence[Side]) -> tuple[ComparedAccuracy, ...]:
    """Compare each side with the first in all cells trained on both; judge all claims together.

    Repeated runs train with the same seeds, which are no new evidence: the first run counts.
    """
    trainings = list(common_trainings(sides))
    claims = iter(
        judge_means([
            compare_means(final_accuracies(after), final_accuracies(before))
            for *_, before, after, refusal in trainings
            if not refusal
        ])
    )  # fmt: skip
    return tuple(
        ComparedAccuracy(
            run=name, cell=cell, first=before, other=after, refusal=refusal,
            claim=None if refusal else next(claims),
        )
        for name, cell, before, after, refusal in trainings
    )  # fmt: skip


def common_trainings(
    sides: Sequence[Side],
) -> Iterator[tuple[str, CellResults, Accuracy, Accuracy, str]]:
    """Yield side, cell, both accuracies, and the reason not to compare them, which may be empty."""
    first, *others = sides
    for other in others or [first]:
        for (cell, *_), (twin, *_) in matched_cells(first, other, "accuracy"):
            # a cell that only has trainings with more epochs has no accuracy
            if (before := cell.accuracy) and (after := twin.accuracy):
                reasons = [comparability.refusal(cell, twin), *training_differences(before, after)]
                yield other.name, twin, before, after, "; ".join(filter(None, reasons))


def training_differences(first: Accuracy, other: Accuracy) -> Iterator[str]:
    """Yield the differences between the plans of two trainings, each with both values."""
    yield from comparability.differences(
        training_plan(first), training_plan(other), ("epochs", "train_images")
    )


def training_plan(accuracy: Accuracy) -> dict[str, Values]:
    """Return the values that must be the same in both runs, by name."""
    return {
        "epochs": frozenset({accuracy.epochs}),
        "train_images": frozenset({f"{accuracy.train_images:,}"}),
    }


HEADERS = [
    "workload", "backend", "device", "first", "first n", "run", "its", "its n",
    "difference (points)", "95 % interval", "verdict", "because",
]  # fmt: skip
LEGEND = (
    "Test accuracy after the last epoch: the mean over n seeds of each run, and its mean minus the "
    "first's. EQUIVALENT, DIFFERENT and INCONCLUSIVE are those of a report, by Welch's tests, "
    "adjusted for all cells of this table; fewer than 10 seeds show nothing."
)


def section(sides: Sequence[Side]) -> Iterator[str]:
    """Write heading, table and legend; nothing if the sides have no trained cell in common."""
    rows = [row(accuracy) for accuracy in accuracies(sides)]
    if rows:
        yield "## Accuracy of the same cells"
        yield table(HEADERS, rows, "first,first n,its,its n,difference (points),95 % interval")
        yield LEGEND


def row(accuracy: ComparedAccuracy) -> list[str]:
    """Write the cells of one row under `HEADERS`."""
    claim = accuracy.claim
    comparison = None if claim is None else claim.comparison
    return [
        *cell_names(accuracy.cell),
        percent(accuracy.first.test_accuracy),
        str(len(accuracy.first.seeds)),
        escape(accuracy.run),
        percent(accuracy.other.test_accuracy),
        str(len(accuracy.other.seeds)),
        NOTHING if comparison is None else points(comparison.difference),
        NOTHING if comparison is None else interval(comparison),
        "not compared" if claim is None else claim.verdict,
        escape(accuracy.refusal) if claim is None else claim.reason,
    ]
