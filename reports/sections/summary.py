"""The summary: parameters and accuracy of every cell, then its speed."""

from collections.abc import Iterator, Sequence

from bench.record.selection import UNSTEADY
from bench.stats import SAME_WITHIN, Estimate
from reports.results.cells import CellResults, has_timing
from reports.results.report import Report
from reports.results.summary import SummaryRow
from reports.sections.columns import (
    CELL_HEADERS,
    DIFFERS,
    cell_names,
    published_verdict,
    training_extent,
)
from reports.text import (
    MEBIBYTE,
    NOTHING,
    centre,
    count,
    escape,
    estimate,
    join_words,
    number,
    percent,
    points,
    table,
)

ACCURACY_HEADERS = [
    *CELL_HEADERS, "parameters", "test accuracy", "published", "difference (points)", "verdict",
    "trained", "seeds",
]  # fmt: skip
SPEED_HEADERS = [
    *CELL_HEADERS, "images/s", "full loop ms/step", "step alone ms/step", "n", "first step s",
    "memory MiB",
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
        "✓: counts and shapes of every layer equal the network's in every trial. Test accuracy: "
        "after the last epoch, mean over seeds. Published: one draw, on hardware that its source "
        "does not name; reproduced: it lies where one more of our seeds is expected (95 %). "
        f"{NOTHING}: not measured; the reason is under Configurations and trials without "
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
    """Return `535,818 ✓`: the framework's own total, and whether the check `parameters` held."""
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
        number(speed.samples_per_second),
        estimate(speed.native_seconds, 1e3),
        estimate(speed.step_seconds, 1e3),
        trials(row),
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
        "Images/s: all images over all seconds of the full training loop, the framework's own over "
        "arrays in memory. Step alone: on batches that are already on the device. Value: median "
        "over n trials, each a new process; in brackets the 95 % interval (from 6 trials on). "
        "Memory: peak of the whole process."
    )
    if on_gpu:
        yield (
            "GPU memory: the framework's own count, and each counts in its own way. GPU speed / "
            "CPU speed: the CPU's time in the full loop over the GPU's, by round; its median."
        )
    yield from slow_steps(rows)
    if any(row.speed is not None and UNSTEADY in row.speed.flags for row in rows):
        yield (
            "Not steady: in these trials the time per step was still changing when the warm-up "
            "ended. They are in these figures and in no verdict."
        )


def slow_steps(rows: Sequence[SummaryRow]) -> Iterator[str]:
    """Yield the configurations whose step alone is slower than the loop that contains it."""
    slower = [
        f"{escape(row.results.title)} on {escape(row.results.cell.workload)} "
        f"({estimate(ratio)} of its time)"
        for row in rows
        if row.speed is not None and is_below(ratio := row.speed.loop_overhead)
    ]
    if slower:
        yield (
            "A step of the full loop took less time than the step alone, which it contains: "
            f"{join_words(slower)}. Quote the full loop for these. A known cause on a CPU: the C "
            "library gives memory back to the system after each step and asks for it again, and "
            "how often depends on what else lies in the process's memory (docs/measuring.md)."
        )


def is_below(ratio: Estimate | None) -> bool:
    """Return whether the interval of a ratio lies more than `SAME_WITHIN` below 1."""
    return ratio is not None and ratio.high is not None and ratio.high < 1 / (1 + SAME_WITHIN)
