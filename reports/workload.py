"""The section of one workload: its layers, its lanes, its training, and what its source printed."""

from collections.abc import Iterator, Sequence

from bench.record import Record
from bench.spec import PublishedResult, Workload
from bench.workloads import WORKLOADS
from reports import lanes, longer, predictions_section
from reports.accuracy import OVERFIT_POINTS, Accuracy, Training
from reports.cells import CellResults, named
from reports.figures import curves_file
from reports.summary import DIFFERS, trained, verdict
from reports.tables import SummaryRow
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


def section(name: str, rows: Sequence[SummaryRow]) -> list[str]:
    """All about one workload. `rows` are those of its cells."""
    workload = WORKLOADS.get(name)
    cells = [row.results for row in rows]
    return [
        f"## {escape(name)}",
        *definition(workload),
        *layers(cells),
        *lanes.section(cells),
        *training(name, rows),
        *longer.section(name, rows),
        *predictions_section.section(name, cells),
        *published(workload),
    ]


def definition(workload: Workload | None) -> Iterator[str]:
    if workload is None:
        yield "This version of samestep does not know this workload: no definition to show."
        return
    how = workload.optimizer
    yield (
        f"{count(workload.parameter_total)} parameters; {how.name}, learning rate "
        f"{how.learning_rate}, decay {listed(how.decay)}, epsilon {how.epsilon:g}; batches of "
        f"{workload.batch_size}, {workload.steps_per_epoch:,} steps an epoch, "
        f"{workload.epochs} epochs as published."
    )


def layers(cells: Sequence[CellResults]) -> Iterator[str]:
    """The layer table that the frameworks report; one for each distinct answer."""
    answers: dict[tuple[tuple[str, ...], ...], list[str]] = {}
    for results in cells:
        # within a cell, too: a table that changes between trials must show
        for rows in dict.fromkeys(map(layer_rows, results.records)):
            if rows:
                answers.setdefault(rows, []).append(results.name)
    yield "### Layers"
    if not answers:
        yield "No record of this workload holds a layer table."
    for rows, names in answers.items():
        who = "All cells with records agree" if len(answers) == 1 else "**Cells differ.** This is"
        yield f"{who}: {escape('; '.join(names))}."
        yield table(["layer", "kind", "output shape", "parameters"], rows, "parameters")


def layer_rows(record: Record) -> tuple[tuple[str, ...], ...]:
    if record.parameters is None:
        return ()
    rows = [
        (escape(one.name), escape(one.kind), shape(one.output_shape), count(one.count))
        for one in record.parameters.layers
    ]
    return (*rows, ("total", "", "", count(record.parameters.total)))


def shape(sizes: Sequence[int]) -> str:
    return " x ".join(map(str, sizes))


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


def published(workload: Workload | None) -> Iterator[str]:
    """Footnotes, never rows beside measured figures."""
    results = workload.published if workload is not None else ()
    if results:
        yield "Published (each a single draw; no source names its hardware):"
        yield "\n".join(f"- {footnote(result)}" for result in results)


def footnote(result: PublishedResult) -> str:
    who = listed(part for part in (result.author, result.where, result.date) if part)
    accuracy = percent(result.test_accuracy)
    parts = [f"{escape(result.title)} ({escape(who)}): test accuracy {accuracy}"]
    if result.wrong is not None:
        parts.append(f"{result.wrong} wrong")
    if result.test_loss is not None:
        parts.append(f"test loss {result.test_loss:.4f}")
    if result.step_milliseconds is not None:
        low, high = result.step_milliseconds
        span = f"{low:g}" if low == high else f"{low:g} to {high:g}"
        parts.append(f"{span} ms per step on its progress bar")
    if result.sample_microseconds is not None:
        low, high = result.sample_microseconds
        parts.append(f"{low:g} to {high:g} µs per sample on its progress bar")
    return f"{', '.join(parts)}. Framework: {escape(result.framework)}. Hardware: not stated."
