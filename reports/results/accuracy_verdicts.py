"""Claims on accuracy: every two backends with equal trainings, judged as one family per report."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from bench.record.run import RunModel
from bench.spec.pairing import opponents
from bench.stats import AccuracyClaim, compare_means, judge_means
from reports.results.accuracy import Accuracy
from reports.results.cells import CellResults
from reports.results.comparability import refusal
from reports.results.speed_verdicts import verdict_as_json


@dataclass(frozen=True, kw_only=True)
class AccuracyPair:
    """A claim on the accuracy of `first` against that of `second`."""

    first: CellResults
    second: CellResults
    claim: AccuracyClaim


def accuracy_pairs(run: RunModel, cells: Sequence[CellResults]) -> tuple[AccuracyPair, ...]:
    """Return a claim for every two backends with equal trainings, judged together.

    A smoke run has no claim, nor have cells that compute different things.
    """
    if run.profile == "smoke":
        return ()
    pairs = [
        (first, second, compare_means(final_accuracies(accuracy), final_accuracies(other)))
        for first, second in trained_opponents(cells)
        if (accuracy := first.accuracy) and (other := second.accuracy)
        if have_equal_plans(accuracy, other)
    ]
    claims = judge_means([comparison for *_, comparison in pairs])
    return tuple(
        AccuracyPair(first=first, second=second, claim=claim)
        for (first, second, _), claim in zip(pairs, claims, strict=True)
    )


def trained_opponents(cells: Sequence[CellResults]) -> Iterator[tuple[CellResults, CellResults]]:
    """Yield the pairs of trained cells that may be compared."""
    trained = {results.cell: results for results in cells if results.accuracy is not None}
    for first, second in opponents(trained):
        if refusal(trained[first], trained[second]) is None:
            yield trained[first], trained[second]


def have_equal_plans(first: Accuracy, second: Accuracy) -> bool:
    """Return whether both trained for as many epochs, on as many images, with the same seeds."""
    return (first.epochs, first.train_images, first.seeds) == (
        second.epochs, second.train_images, second.seeds,
    )  # fmt: skip


def final_accuracies(measured: Accuracy) -> list[float]:
    """Return the test accuracy of each training after its last epoch."""
    return [training.result.final_test_accuracy for training in measured.trainings]


def as_json(pair: AccuracyPair) -> dict[str, Any]:
    """Return the claim unrounded, with its pair."""
    return {
        "workload": pair.first.cell.workload,
        "execution": asdict(pair.first.cell.execution),
        "first": pair.first.cell.backend,
        "second": pair.second.cell.backend,
        "second_mode": pair.second.cell.execution.mode,
        **verdict_as_json(pair.claim),
    }
