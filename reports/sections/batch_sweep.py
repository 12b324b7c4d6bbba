"""Time and throughput over the batch size, for workloads that ran with several batch sizes."""

from collections.abc import Iterator, Sequence

from reports.drawing.batch_sweep import figure_file
from reports.results.batch_sweep import crossing_batch_size, crossings
from reports.results.cells import CellResults, workloads
from reports.results.names import framework
from reports.results.report import Report
from reports.sections.columns import CELL_HEADERS, cell_names
from reports.text import NOTHING, escape, estimate, figure, number, table

HEADERS = [*CELL_HEADERS, "batch", "images/s", "step ms", "µs per image"]


def section(report: Report) -> Iterator[str]:
    """Yield times, crossings and figures; nothing if no workload has several batch sizes."""
    cells = report.sweep
    if not cells:
        return
    yield "## Over the batch size"
    yield table(HEADERS, map(row, cells), ",".join(HEADERS[3:]))
    yield (
        "Of the training step alone, on batches that are on the device. If its time hardly grows "
        "with the batch, dispatch was measured and not arithmetic."
    )
    yield from (crossing(key, cells) for key in crossings(cells))
    for name in workloads(cells):
        yield figure(
            f"Images per second over the batch size of {name}, both axes logarithmic, a line for "
            "each framework and device; the numbers are in the table above",
            figure_file(name),
        )


def crossing(key: tuple[str, str], cells: Sequence[CellResults]) -> str:
    """Return a sentence on where the GPU overtakes the CPU; `key`: workload and backend."""
    workload, backend = key
    batch_size = crossing_batch_size(key, cells)
    what = f"{escape(workload)}, {escape(framework(backend))}"
    if batch_size is None:
        return f"{what}: the CPU is ahead at the largest batch size of this run."
    return f"{what}: the GPU is ahead from a batch size of {batch_size:,} on."


def row(results: CellResults) -> list[str]:
    cell, speed = results.cell, results.speed
    seconds = None if speed is None else speed.step_seconds
    size = cell.execution.batch_size
    return [
        *cell_names(results)[:2],
        escape(results.device.removesuffix(f", batch {size}")),
        f"{size:,}",
        NOTHING if seconds is None else number(size / seconds.value),
        estimate(seconds, 1e3),
        estimate(seconds, 1e6 / size),
    ]
