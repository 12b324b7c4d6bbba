"""Time and throughput over the batch size, where a run has several of one workload."""

from collections.abc import Iterator, Sequence

from reports.drawing.batch_sweep import sweep_file
from reports.results.batch_sweep import crossings, overtaking, swept
from reports.results.cells import CellResults, workloads
from reports.text import NOTHING, escape, estimate, image, number, table

HEADERS = ["workload", "backend", "device", "batch", "step ms", "samples/s", "µs per image"]


def section(cells: Sequence[CellResults]) -> Iterator[str]:
    found = swept(cells)
    if not found:
        return
    yield "## Over the batch size"
    yield table(HEADERS, map(row, found), ",".join(HEADERS[3:]))
    yield (
        "Of the step lane: the train step alone on batches that are on the device. samples/s: the "
        "batch over the time of a step. Where the time of a step hardly grows with the batch, it "
        "is dispatch that was measured and not arithmetic."
    )
    yield from (overtaking(name, found) for name in crossings(found))
    for name in workloads(found):
        yield image(
            f"Images per second over the batch size of {name}, both axes logarithmic, a line for "
            "each backend and device; the numbers are in the table above",
            f"figures/{sweep_file(name)}",
        )


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
