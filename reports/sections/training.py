"""The trainings of a workload's cells: curves, final figures, seeds."""

from collections.abc import Iterator, Sequence

from reports.drawing.curves import curves_file
from reports.results.accuracy import OVERFIT_POINTS, Accuracy, Training
from reports.results.summary import SummaryRow
from reports.sections.columns import named
from reports.sections.summary import DIFFERS, trained, verdict
from reports.text import (
    NOTHING,
    count,
    details,
    escape,
    image,
    listed,
    number,
    percent,
    points,
    table,
)


def training(name: str, rows: Sequence[SummaryRow]) -> list[str]:
    """Curves with their text twin, and where each training ended."""
    trained_rows = [(row, row.accuracy) for row in rows if row.accuracy is not None]
    if not trained_rows:
        return []
    return [
        "### Training",
        image(
            f"Loss and accuracy of {name} on training and test images after each epoch; "
            "the numbers are in the table below",
            f"figures/{curves_file(name)}",
        ),
        details(
            "The curves in numbers (means over seeds)",
            table(CURVE_HEADERS, [r for row, one in trained_rows for r in curve_rows(row, one)],
                  "epoch, train loss, train accuracy, test loss, test accuracy, seconds"),
        ),
        table(FINAL_HEADERS, [r for row, one in trained_rows for r in final_rows(row, one)],
              "seed, right, wrong, train loss, train accuracy, test loss, gap (points)"),
        *overfitting(trained_rows),
        table(SEED_HEADERS, [over_seeds(row, one) for row, one in trained_rows],
              "published, difference (points)"),
        "Final figures come from an evaluation after the last epoch. Train loss and accuracy of an "
        "epoch are running means during it. One more seed: 95 % prediction interval (Student's t) "
        "for the test accuracy of one further training, from 3 seeds on; a published accuracy is "
        "such a draw, and reproduced where it lies inside. The fewer seeds, the wider the interval "
        f"and the less that says. {DIFFERS} not trained as the published result was.",
        *other_optimizer(trained_rows),
        table(THROUGHPUT_HEADERS, [throughputs(row, one) for row, one in trained_rows],
              ", ".join(THROUGHPUT_HEADERS[1:])),
    ]  # fmt: skip


CURVE_HEADERS = [
    "cell", "epoch", "train loss", "train accuracy", "test loss", "test accuracy", "seconds"
]  # fmt: skip
FINAL_HEADERS = [
    "cell", "seed", "right", "wrong", "train loss", "train accuracy", "test loss", "gap (points)"
]  # fmt: skip
SEED_HEADERS = [
    "backend", "device", "trained", "seed numbers", "test accuracy", "one more seed", "published",
    "difference (points)", "verdict",
]  # fmt: skip
THROUGHPUT_HEADERS = [
    "cell", "evaluation batch", "evaluation images/s", "prediction batch", "prediction images/s"
]  # fmt: skip


def curve_rows(row: SummaryRow, measured: Accuracy) -> Iterator[list[str]]:
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
        yield [escape(row.results.name), str(epoch), *losses, number(seconds)]


def final_rows(row: SummaryRow, measured: Accuracy) -> Iterator[list[str]]:
    for one in measured.trainings:
        yield [
            escape(row.results.name),
            str(one.seed),
            f"{one.right:,} of {one.test_images:,}",
            f"{one.test_images - one.right:,}",
            f"{one.result.final_train_loss:.4f}",
            percent(one.result.final_train_accuracy),
            f"{one.result.final_test_loss:.4f}",
            f"{one.gap_points:+.2f}",
        ]


def overfitting(rows: Sequence[tuple[SummaryRow, Accuracy]]) -> Iterator[str]:
    """The rule of the published notebook, applied to every training."""
    over = [
        f"{escape(row.results.name)} (seed {one.seed})"
        for row, measured in rows
        for one in measured.trainings
        if overfits(one)
    ]
    rule = f"a gap between train and test accuracy above {OVERFIT_POINTS:g} points is overfitting"
    who = f"so: {', '.join(over)}" if over else "no training here is above it"
    yield f"By the rule of a published notebook, {rule}; {who}."


def overfits(one: Training) -> bool:
    return one.gap_points > OVERFIT_POINTS


def over_seeds(row: SummaryRow, measured: Accuracy) -> list[str]:
    further = NOTHING
    if measured.prediction is not None:
        low, high = measured.prediction
        # a t interval knows no upper bound, an accuracy has one
        further = f"{percent(low)} to {percent(min(high, 1.0))}"
    return [
        *named(row.results)[1:],
        trained(row),
        listed(measured.seeds),
        percent(measured.test_accuracy),
        further,
        percent(row.published_accuracy),
        points(row.difference),
        verdict(row),
    ]


def other_optimizer(rows: Sequence[tuple[SummaryRow, Accuracy]]) -> Iterator[str]:
    """Said wherever the two meet: the published training was not quite the same experiment."""
    for why in dict.fromkeys(row.published.other_optimizer for row, _ in rows if row.published):
        if why:
            yield f"Other optimizer: {escape(why)}."


def throughputs(row: SummaryRow, measured: Accuracy) -> list[str]:
    """Evaluation of all training images, prediction of all test images."""
    return [
        escape(row.results.name),
        count(measured.evaluation_batch_size),
        number(measured.evaluated_per_second),
        count(measured.inference_batch_size),
        number(measured.images_per_second),
    ]
