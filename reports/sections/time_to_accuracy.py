"""How long each backend trains until it first has a test accuracy."""

from collections.abc import Iterator, Sequence
from statistics import median

from bench.spec import TRAIN_IMAGES
from reports.results.accuracy import Accuracy
from reports.results.summary import SummaryRow
from reports.results.time_to_accuracy import TARGETS, Reached, reached, targets
from reports.sections.columns import named
from reports.text import NOTHING, estimate, number, percent, table


def section(rows: Sequence[SummaryRow]) -> Iterator[str]:
    """Nothing where trainings saw a part of the images: they are not what the targets are for."""
    trained = [
        (row, row.accuracy)
        for row in rows
        if row.accuracy is not None and row.accuracy.train_images == TRAIN_IMAGES
    ]
    if not trained:
        return
    headers = ["workload", "backend", "device", "seeds", *map(whole_percent, TARGETS)]
    headers += ["published less half a point"]
    yield "## Time to accuracy"
    yield table(headers, [cells_of(*one) for one in trained], ", ".join(headers[3:]))
    yield (
        "Seconds of training until the end of the first epoch with that test accuracy, and that "
        "epoch; evaluations are outside the clock. Median over seeds, in brackets its 95 % "
        "interval (from 6 seeds on, where all got there). `7 of 10`: so many seeds got there at "
        "all; the others count as longer. never: none, within the epochs trained. Trainings take "
        "no turns with each other, so that no verdict is made of these."
    )


def whole_percent(target: float) -> str:
    return f"{100 * target:g} %"


def cells_of(row: SummaryRow, measured: Accuracy) -> list[str]:
    found = [reached(measured, target) for target in targets(row)]
    told = [in_words(one) for one in found]
    if len(told) == len(TARGETS):
        told.append(NOTHING)
    else:
        told[-1] = f"{told[-1]} ({percent(found[-1].target)})"
    return [*named(row.results), str(len(measured.seeds)), *told]


def in_words(one: Reached) -> str:
    """`9.82 s, epoch 4`; `14.2 s, epoch 6; 7 of 10`; `never`."""
    if not one.times:
        return "never"
    share = "" if one.times == len(one.seconds) else f"{one.times} of {len(one.seconds)}"
    if one.median_seconds is None:
        return share
    seconds = estimate(one.estimate) if one.estimate else number(one.median_seconds)
    return f"{seconds} s, epoch {median(one.epochs):g}{share and f'; {share}'}"
