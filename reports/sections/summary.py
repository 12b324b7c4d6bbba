"""The summary: parameters and accuracy of every cell, then its speed."""

from collections.abc import Iterator, Sequence

from bench.record.selection import UNSTEADY
from reports.results.cells import CellResults, has_timing
from reports.results.report import Report
from reports.results.summary import SummaryRow
from reports.sections.columns import DIFFERS, cell_names, published_verdict, training_extent
from reports.text import (
    MEBIBYTE,
    NOTHING,
    centre,
    count,
    estimate,
    number,
    percent,
    points,
    table,
)

ACCURACY_HEADERS = [
    "workload", "backend", "device", "parameters", "test accuracy", "published",
    "difference (points)", "verdict", "trained", "seeds",
]  # fmt: skip
SPEED_HEADERS = [
    "workload", "backend", "device", "native ms/step", "step ms/step", "n", "samples/s",
    "first step s", "memory MiB",
]  # fmt: skip
GPU_HEADERS = ["GPU memory MiB", "GPU speed / CPU speed"]


def section(report: Report) -> Iterator[str]:
    """Yield the table of accuracy, and the table of speed if the plan has timing trials."""
    yield "## Summary"
    yield from accuracy(report.rows)
    if has_timing(report.run):
        yield from speed(report.rows)


def supported_rows(rows: Sequence[SummaryRow]) -> list[SummaryRow]:
    """Return the rows of the cells that their backends support."""
    return [row for row in rows if not row.results.is_unsupported]


def accuracy(rows: Sequence[SummaryRow]) -> Iterator[str]:
    yield "### Parameters and accuracy"
    yield table(
        ACCURACY_HEADERS,
        map(accuracy_row, supported_rows(rows)),
        "parameters, difference (points), seeds",
    )
    yield (
        "✓: counts and shapes of every layer equal the workload's in every trial. Test accuracy: "
        "after the last epoch, mean over seeds. Published: one draw, on hardware that its source "
        "does not name; reproduced: it lies where one more of our seeds is expected (95 %). "
        f"{NOTHING}: not measured; the reason is under Cells and trials without "
        "figures, or it was not in the plan."
    )
    if any(row.accuracy is not None and not row.matches_published for row in rows):
        yield (
            f"{DIFFERS} Trained for another number of epochs, on a part of the training images or "
            "with another batch size than the published result: not the same experiment."
        )


def accuracy_row(row: SummaryRow) -> list[str]:
    return [
        *cell_names(row.results),
        parameters(row.results),
        percent(None if row.accuracy is None else row.accuracy.test_accuracy),
        percent(row.published_accuracy),
        points(row.difference),
        published_verdict(row),
        training_extent(row),
        NOTHING if row.accuracy is None else str(len(row.accuracy.seeds)),
    ]


def parameters(results: CellResults) -> str:
    """Return `535,818 ✓`: the framework's own total, and whether the rung `parameters` held."""
    marks = {True: "\u00a0✓", False: "\u00a0✗ differ", None: " (not checked)"}
    if results.parameter_total is None:
        return NOTHING
    return f"{count(results.parameter_total)}{marks[results.parameters_hold]}"


def speed(rows: Sequence[SummaryRow]) -> Iterator[str]:
    """Yield the table of speed; only a run on a GPU has the columns of a GPU."""
    on_gpu = any(row.results.cell.execution.device != "cpu" for row in rows)
    headers = [*SPEED_HEADERS, *(GPU_HEADERS if on_gpu else ())]
    yield "### Speed"
    cells = [speed_row(row)[: len(headers)] for row in supported_rows(rows)]
    yield table(headers, cells, ",".join(headers[3:]))
    yield from speed_legend(rows, on_gpu=on_gpu)


def speed_row(row: SummaryRow) -> list[str]:
    speed = row.speed
    if speed is None:
        return [*cell_names(row.results), *[NOTHING] * 8]
    return [
        *cell_names(row.results),
        estimate(speed.native_seconds, 1e3),
        estimate(speed.step_seconds, 1e3),
        trials(row),
        number(speed.samples_per_second),
        centre(speed.first_step_seconds),
        centre(speed.peak_rss_bytes, 1 / MEBIBYTE),
        centre(speed.peak_device_bytes, 1 / MEBIBYTE),
        estimate(row.gpu_speed_over_cpu),
    ]


def trials(row: SummaryRow) -> str:
    """Return `10`, or `10 (2 not steady)`."""
    speed = row.speed
    if speed is None:
        return NOTHING
    # beside n and not in a footnote: a reader who copies the row gets it too
    unsteady = speed.flags.get(UNSTEADY, 0)
    return f"{speed.trials} ({unsteady} not steady)" if unsteady else str(speed.trials)


def speed_legend(rows: Sequence[SummaryRow], *, on_gpu: bool) -> Iterator[str]:
    yield (
        "native: the framework's own training loop over arrays in memory. step: the train step "
        "alone on batches that are already on the device. Value: median over n trials, each a "
        "fresh process; in brackets the 95 % interval (none under 6 trials). samples/s: "
        "all samples over all seconds of the native lane. memory: peak of the whole worker "
        "process."
    )
    if on_gpu:
        yield (
            "GPU memory: the framework's own count, and each counts in its own way. GPU speed / "
            "CPU speed: the CPU's native time over the GPU's, by round; its median."
        )
    if any(row.speed is not None and UNSTEADY in row.speed.flags for row in rows):
        yield (
            "not steady: in these trials the time per step was still changing when the warm-up "
            "ended. They are in these figures and in no verdict."
        )
