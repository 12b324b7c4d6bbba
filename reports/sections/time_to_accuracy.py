"""The time that each cell trains until it first reaches a test accuracy."""

from collections.abc import Iterator
from statistics import median

from bench.spec import TRAIN_IMAGES
from reports.results.accuracy import Accuracy
from reports.results.report import Report
from reports.results.summary import SummaryRow
from reports.results.time_to_accuracy import TARGETS, TargetTimes, target_times, targets
from reports.sections.columns import CELL_HEADERS, cell_names
from reports.text import NOTHING, estimate, number, percent, plain_percent, table


def section(report: Report) -> Iterator[str]:
    """Yield the table of the cells that trained on all images; nothing if there are none."""
    trained = [
        (row, row.accuracy)
        for row in report.rows
        if row.accuracy is not None and row.accuracy.train_images == TRAIN_IMAGES
    ]
    if not trained:
        return
    headers = [*CELL_HEADERS, "seeds", *map(plain_percent, TARGETS)]
    headers += ["published less half a point"]
    yield "## Time to accuracy"
    yield table(
        headers, [table_row(row, measured) for row, measured in trained], ", ".join(headers[3:])
    )
    yield (
        "Seconds of training until the end of the first epoch with that test accuracy, and that "
        "epoch; evaluations are outside the clock. Median over seeds, in brackets its 95 % "
        "interval (from 6 seeds on, if all reached it). `7 of 10`: so many seeds reached it; the "
        "others count as longer. never: no seed reached it in the epochs trained. Trainings do not "
        "take turns, so there is no verdict on these times."
    )


def table_row(row: SummaryRow, measured: Accuracy) -> list[str]:
    all_times = [target_times(measured, target) for target in targets(row)]
    texts = [phrase(times) for times in all_times]
    if len(texts) == len(TARGETS):
        texts.append(NOTHING)
    else:
        texts[-1] = f"{texts[-1]} ({percent(all_times[-1].target)})"
    return [*cell_names(row.results), str(len(measured.seeds)), *texts]


def phrase(times: TargetTimes) -> str:
    """Return `9.82 s, epoch 4`, `14.2 s, epoch 6; 7 of 10` or `never`."""
    reached, trainings = times.reached_count, len(times.seconds)
    if not reached:
        return "never"
    share = "" if reached == trainings else f"{reached} of {trainings}"
    if times.median_seconds is None:
        return share
    seconds = estimate(times.estimate) if times.estimate else number(times.median_seconds)
    return f"{seconds} s, epoch {median(times.epochs):g}{share and f'; {share}'}"
