"""Time and throughput over the batch size, for workloads that ran with several batch sizes."""

from collections.abc import Iterator, Sequence

from reports.drawing.batch_sweep import figure_file
from reports.results.batch_sweep import crossing_batch_size, crossings
from reports.results.cells import CellResults, workloads
from reports.results.report import Report
from reports.text import NOTHING, escape, estimate, figure, number, table

HEADERS = ["workload", "backend", "device", "batch", "step ms", "samples/s", "µs per image"]


def section(report: Report) -> Iterator[str]:
    """Yield times, crossings and figures; nothing if no workload has several batch sizes."""
    cells = report.sweep
    if not cells:
        return
    yield "## Over the batch size"
    yield table(HEADERS, map(row, cells), ",".join(HEADERS[3:]))
    yield (
        "Of the step lane: the train step alone on batches that are on the device. samples/s: the "
        "batch over the time of a step. Where the time of a step hardly grows with the batch, it "
        "is dispatch that was measured and not arithmetic."
    )
    yield from (crossing(key, cells) for key in crossings(cells))
    for name in workloads(cells):
        yield figure(
            f"Images per second over the batch size of {name}, both axes logarithmic, a line for "
            "each backend and device; the numbers are in the table above",
            figure_file(name),
        )


def crossing(key: tuple[str, str], cells: Sequence[CellResults]) -> str:
    """Return a sentence on where the GPU overtakes the CPU; `key`: workload and backend."""
    workload, backend = key
    batch_size = crossing_batch_size(key, cells)
    what = f"{escape(workload)}, {escape(backend)}"
    if batch_size is None:
        return f"{what}: the CPU is ahead at the largest batch size of this run."
    return f"{what}: the GPU is ahead from a batch size of {batch_size:,} on."


def row(results: CellResults) -> list[str]:
    cell, speed = results.cell, results.speed
    seconds = None if speed is None else speed.step_seconds
    size = cell.execution.batch_size
    return [
        escape(cell.workload),
        escape(cell.backend),
        escape(results.device.removesuffix(f", batch {size}")),
        f"{size:,}",
        estimate(seconds, 1e3),
        NOTHING if seconds is None else number(size / seconds.value),
        estimate(seconds, 1e6 / size),
    ]
