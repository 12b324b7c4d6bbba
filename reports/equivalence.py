"""Whether backends train to the same accuracy: one family of claims for a report."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from bench.opponents import opponents
from bench.run_file import RunModel
from bench.stats import (
    FEWEST_SEEDS,
    LEVEL,
    AccuracyClaim,
    MeanDifference,
    compare_means,
    judge_means,
)
from reports.accuracy import Accuracy
from reports.cells import CellResults
from reports.ledger import refusal
from reports.ranking import verdict_as_json
from reports.text import NOTHING, escape, points, table


@dataclass(frozen=True, kw_only=True)
class AccuracyPair:
    """What may be said of the accuracy of `first` against that of `second`."""

    first: CellResults
    second: CellResults
    claim: AccuracyClaim


def accuracy_pairs(run: RunModel, cells: Sequence[CellResults]) -> tuple[AccuracyPair, ...]:
    """A claim for every two backends that were trained alike, judged together.

    None for a smoke run, and for cells in which something else was computed.
    """
    if run.profile == "smoke":
        return ()
    pairs = [
        (first, second, compare_means(finals(one), finals(other)))
        for first, second in trained_opponents(cells)
        if (one := first.accuracy) and (other := second.accuracy) and alike(one, other)
    ]
    claims = judge_means([comparison for *_, comparison in pairs])
    return tuple(
        AccuracyPair(first=first, second=second, claim=claim)
        for (first, second, _), claim in zip(pairs, claims, strict=True)
    )


def trained_opponents(cells: Sequence[CellResults]) -> Iterator[tuple[CellResults, CellResults]]:
    trained = {one.cell: one for one in cells if one.accuracy is not None}
    for first, second in opponents(trained):
        if refusal(trained[first], trained[second]) is None:
            yield trained[first], trained[second]


def alike(first: Accuracy, second: Accuracy) -> bool:
    """Whether both trained as long, on as many images, with the same seeds."""
    return (first.epochs, first.train_images, first.seeds) == (
        second.epochs, second.train_images, second.seeds,
    )  # fmt: skip


def finals(measured: Accuracy) -> list[float]:
    return [one.result.final_test_accuracy for one in measured.trainings]


HEADERS = [
    "workload", "device", "backends", "difference (points)", "95 % interval", "seeds", "verdict",
    "because",
]  # fmt: skip


def section(pairs: Sequence[AccuracyPair]) -> Iterator[str]:
    if not pairs:
        return
    yield "## Whether they train to the same accuracy"
    if all(pair.claim.comparison.n < 2 for pair in pairs):
        yield (
            "One seed each: nothing is said of it. Backends part after some steps because each "
            "rounds in its own way, so that one training tells of the seed as much as of the "
            f"backend; a verdict needs {FEWEST_SEEDS} seeds (`--profile full`)."
        )
        return
    yield table(HEADERS, map(row, pairs), "difference (points), 95 % interval, seeds")
    yield LEGEND


LEGEND = (
    "Difference: mean test accuracy after the last epoch of the first backend minus that of the "
    "second, over the seeds that the plan named before anything was trained; none is dropped. "
    "EQUIVALENT: shown to be within the margin by two one-sided Welch tests (p under "
    f"{100 * LEVEL:g} %, adjusted for all pairs of this report by Holm's method). The margin is "
    "0.30 points from 10 seeds on; from 20 on the larger of 0.20 points and 1.5 standard "
    "deviations over seeds. DIFFERENT: Welch's test of no difference, adjusted likewise, and not "
    f"equivalent. INCONCLUSIVE: neither is shown, or fewer than {FEWEST_SEEDS} seeds."
)


def row(pair: AccuracyPair) -> list[str]:
    comparison = pair.claim.comparison
    return [
        escape(pair.first.cell.workload),
        escape(pair.first.device),
        f"{escape(pair.first.cell.backend)} against {escape(other_name(pair))}",
        points(comparison.difference),
        interval(comparison),
        str(comparison.n),
        pair.claim.verdict,
        pair.claim.reason,
    ]


def other_name(pair: AccuracyPair) -> str:
    """The second backend; of one backend in two modes the mode as well."""
    second = pair.second.cell
    same = second.backend == pair.first.cell.backend
    return f"{second.backend} ({second.execution.mode})" if same else second.backend


def interval(comparison: MeanDifference) -> str:
    if comparison.low is None or comparison.high is None:
        return NOTHING
    return f"{points(comparison.low)} to {points(comparison.high)}"


def as_json(pair: AccuracyPair) -> dict[str, Any]:
    return {
        "workload": pair.first.cell.workload,
        "execution": asdict(pair.first.cell.execution),
        "first": pair.first.cell.backend,
        "second": pair.second.cell.backend,
        "second_mode": pair.second.cell.execution.mode,
        **verdict_as_json(pair.claim),
    }
