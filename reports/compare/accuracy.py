"""The test accuracy of the same cells in several runs, side by side."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bench.stats import AccuracyClaim, compare_means, judge_means
from reports.compare.pairs import ComparedRun, in_both
from reports.results import comparability
from reports.results.accuracy import Accuracy
from reports.results.accuracy_verdicts import finals
from reports.results.cells import CellResults
from reports.results.settings import Values
from reports.sections.accuracy_verdicts import interval
from reports.sections.columns import named
from reports.text import NOTHING, escape, percent, points, table


@dataclass(frozen=True, kw_only=True)
class ComparedAccuracy:
    """What the trainings of a cell in `run` and of the same cell in the first run ended with.

    There is a claim on the other run's mean minus the first's, or a refusal: another training.
    """

    run: str
    cell: CellResults
    first: Accuracy
    other: Accuracy
    refusal: str
    claim: AccuracyClaim | None


def accuracies(runs: Sequence[ComparedRun]) -> tuple[ComparedAccuracy, ...]:
    """Each run against the first, in every trained cell that both have, all judged together."""
    found = list(trained_in_both(runs))
    claims = iter(
        judge_means([
            compare_means(finals(after), finals(before))
            for *_, before, after, why in found
            if not why
        ])
    )  # fmt: skip
    return tuple(
        ComparedAccuracy(
            run=name, cell=cell, first=before, other=after, refusal=why,
            claim=None if why else next(claims),
        )
        for name, cell, before, after, why in found
    )  # fmt: skip


def trained_in_both(
    runs: Sequence[ComparedRun],
) -> Iterator[tuple[str, CellResults, Accuracy, Accuracy, str]]:
    """With the reason why the two may not be compared; it is empty where they may."""
    first, *others = runs
    for other in others:
        for cell, twin in in_both(first, other, "accuracy"):
            # a cell may have longer trainings alone
            if (before := cell.accuracy) and (after := twin.accuracy):
                reasons = [comparability.refusal(cell, twin), *trained_otherwise(before, after)]
                yield other.name, cell, before, after, "; ".join(filter(None, reasons))


def trained_otherwise(first: Accuracy, other: Accuracy) -> Iterator[str]:
    yield from comparability.differing(way(first), way(other), ("epochs", "train_images"))


def way(trained: Accuracy) -> dict[str, Values]:
    return {
        "epochs": frozenset({trained.epochs}),
        "train_images": frozenset({f"{trained.train_images:,}"}),
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


def section(runs: Sequence[ComparedRun]) -> Iterator[str]:
    rows = [row(one) for one in accuracies(runs)]
    if rows:
        yield "## Accuracy of the same cells"
        yield table(HEADERS, rows, "first,first n,its,its n,difference (points),95 % interval")
        yield LEGEND


def row(one: ComparedAccuracy) -> list[str]:
    comparison = None if one.claim is None else one.claim.comparison
    return [
        *named(one.cell),
        percent(one.first.test_accuracy),
        str(len(one.first.seeds)),
        escape(one.run),
        percent(one.other.test_accuracy),
        str(len(one.other.seeds)),
        NOTHING if comparison is None else points(comparison.difference),
        NOTHING if comparison is None else interval(comparison),
        "not compared" if one.claim is None else one.claim.verdict,
        escape(one.refusal) if one.claim is None else one.claim.reason,
    ]
