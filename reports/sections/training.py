"""The trainings of a workload's cells: curves, final values, seeds."""

from collections.abc import Iterator, Sequence

from reports.drawing.training import figure_file
from reports.results.accuracy import OVERFIT_POINTS, Accuracy
from reports.results.summary import SummaryRow
from reports.results.workload import WorkloadResults
from reports.sections.columns import (
    CELL_HEADERS,
    DIFFERS,
    cell_names,
    published_verdict,
    training_extent,
)
from reports.text import (
    NOTHING,
    comma_list,
    count,
    details,
    escape,
    figure,
    number,
    percent,
    points,
    table,
)


def part(workload: WorkloadResults) -> Iterator[str]:
    """Yield curves, final values, seeds and throughput; nothing if no cell was trained."""
    trained = workload.trained_rows
    if not trained:
        return
    yield "### Training"
    yield from curves(workload.name, trained)
    yield table(
        FINAL_HEADERS,
        [cells for row, measured in trained for cells in final_rows(row, measured)],
        "seed, right, wrong, train loss, train accuracy, test loss, gap (points)",
    )
    yield from overfitting(trained)
    yield table(
        SEED_HEADERS,
        [seed_row(row, measured) for row, measured in trained],
        "published, difference (points)",
    )
    yield (
        "Final figures come from an evaluation after the last epoch. Train loss and accuracy of an "
        "epoch are running means during it. One more seed: 95 % prediction interval (Student's t) "
        "for the test accuracy of one further training, from 3 seeds on; a published accuracy is "
        "such a draw, and reproduced where it lies inside. The fewer seeds, the wider the interval "
        f"and the less that says. {DIFFERS} not trained as the published result was."
    )
    yield from other_optimizer(trained)
    yield table(
        THROUGHPUT_HEADERS,
        [throughput_row(row, measured) for row, measured in trained],
        ", ".join(THROUGHPUT_HEADERS[1:]),
    )


CURVE_HEADERS = [
    "configuration", "epoch", "train loss", "train accuracy", "test loss", "test accuracy",
    "seconds",
]  # fmt: skip
FINAL_HEADERS = [
    "configuration", "seed", "right", "wrong", "train loss", "train accuracy", "test loss",
    "gap (points)",
]  # fmt: skip
SEED_HEADERS = [
    *CELL_HEADERS[1:], "trained", "seed numbers", "test accuracy", "one more seed", "published",
    "difference (points)", "verdict",
]  # fmt: skip
THROUGHPUT_HEADERS = [
    "configuration", "evaluation batch", "evaluation images/s", "prediction batch",
    "prediction images/s",
]  # fmt: skip


def curves(name: str, trained: Sequence[tuple[SummaryRow, Accuracy]]) -> Iterator[str]:
    yield figure(
        f"Loss and accuracy of {name} on training and test images after each epoch; "
        "the numbers are in the table below",
        figure_file(name),
    )
    numbers = table(
        CURVE_HEADERS,
        [cells for row, measured in trained for cells in curve_rows(row, measured)],
        "epoch, train loss, train accuracy, test loss, test accuracy, seconds",
    )
    yield details("The curves in numbers (means over seeds)", numbers)


def curve_rows(row: SummaryRow, measured: Accuracy) -> Iterator[list[str]]:
    """Yield a row per epoch, of means over seeds."""
    curves = zip(
        measured.curve(lambda epoch: epoch.train_loss),
        measured.curve(lambda epoch: epoch.train_accuracy),
        measured.curve(lambda epoch: epoch.test_loss),
        measured.curve(lambda epoch: epoch.test_accuracy),
        measured.curve(lambda epoch: epoch.seconds),
        strict=True,
    )
    for epoch, (loss, right, test_loss, test_right, seconds) in enumerate(curves, start=1):
        losses = [f"{loss:.4f}", percent(right), f"{test_loss:.4f}", percent(test_right)]
        yield [escape(row.results.title), str(epoch), *losses, number(seconds)]


def final_rows(row: SummaryRow, measured: Accuracy) -> Iterator[list[str]]:
    """Yield a row per training, after its last epoch."""
    for training in measured.trainings:
        yield [
            escape(row.results.title),
            str(training.seed),
            f"{training.right:,} of {training.test_images:,}",
            f"{training.test_images - training.right:,}",
            f"{training.result.final_train_loss:.4f}",
            percent(training.result.final_train_accuracy),
            f"{training.result.final_test_loss:.4f}",
            f"{training.gap_points:+.2f}",
        ]


def overfitting(rows: Sequence[tuple[SummaryRow, Accuracy]]) -> Iterator[str]:
    """Yield the trainings that overfit by the rule of the published notebook."""
    names = [
        f"{escape(row.results.title)} (seed {training.seed})"
        for row, measured in rows
        for training in measured.trainings
        if training.gap_points > OVERFIT_POINTS
    ]
    rule = f"a gap between train and test accuracy above {OVERFIT_POINTS:g} points is overfitting"
    finding = f"so: {', '.join(names)}" if names else "no training here is above it"
    yield f"By the rule of a published notebook, {rule}; {finding}."


def seed_row(row: SummaryRow, measured: Accuracy) -> list[str]:
    """Return the accuracy over seeds, beside the published accuracy."""
    further = NOTHING
    if measured.prediction is not None:
        low, high = measured.prediction
        # a t interval may exceed 1, an accuracy may not
        further = f"{percent(low)} to {percent(min(high, 1.0))}"
    return [
        *cell_names(row.results)[1:],
        training_extent(row),
        comma_list(measured.seeds),
        percent(measured.test_accuracy),
        further,
        percent(row.published_accuracy),
        points(row.difference),
        published_verdict(row),
    ]


def other_optimizer(rows: Sequence[tuple[SummaryRow, Accuracy]]) -> Iterator[str]:
    """Yield the published optimizer if it differs from the workload's."""
    results = [row.published_result for row, _ in rows]
    optimizers = dict.fromkeys(result.other_optimizer for result in results if result is not None)
    for optimizer in filter(None, optimizers):
        yield f"Other optimizer: {escape(optimizer)}."


def throughput_row(row: SummaryRow, measured: Accuracy) -> list[str]:
    """Return the throughput of evaluating the training images and predicting the test images."""
    return [
        escape(row.results.title),
        count(measured.evaluation_batch_size),
        number(measured.evaluated_per_second),
        count(measured.inference_batch_size),
        number(measured.images_per_second),
    ]
