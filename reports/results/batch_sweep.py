"""Cells that differ in their batch size alone, and where a GPU overtakes the CPU."""

from collections.abc import Sequence
from itertools import groupby

from reports.results.cells import CellResults, workloads


def sweep(cells: Sequence[CellResults]) -> list[CellResults]:
    """Return the cells with a step time whose workload has more than one batch size."""
    timed = [results for results in cells if has_step_time(results)]
    sizes: dict[str, set[int]] = {}
    for results in timed:
        sizes.setdefault(results.cell.workload, set()).add(results.cell.execution.batch_size)
    swept = [results for results in timed if len(sizes[results.cell.workload]) > 1]
    order = workloads(cells)
    return sorted(
        swept, key=lambda results: (place(results, order), results.cell.execution.batch_size)
    )


def has_step_time(results: CellResults) -> bool:
    """Return whether the cell has a time in the step lane."""
    return results.speed is not None and results.speed.step_seconds is not None


def place(results: CellResults, order: Sequence[str]) -> tuple[int, str, str]:
    """Return the key by which cells are sorted, so that the cells of a line are together."""
    return order.index(results.cell.workload), results.cell.backend, line(results)


def line(results: CellResults) -> str:
    """Return the name that all cells of a line in the figure share: it has no batch size."""
    return results.cell.but(batch_size=1).label


def crossings(cells: Sequence[CellResults]) -> list[tuple[str, str]]:
    """Return workload and backend of each cell on a GPU that also ran on the CPU."""
    known = [results.cell for results in cells]
    keys = [
        (cell.workload, cell.backend)
        for cell in known
        if cell.execution.device != "cpu" and cell.but(device="cpu") in known
    ]
    return list(dict.fromkeys(keys))


def crossing_batch_size(key: tuple[str, str], cells: Sequence[CellResults]) -> int | None:
    """Return the batch size from which the GPU's step takes less time than the CPU's.

    `key` is workload and backend. None if the CPU is ahead at the largest batch size.
    """
    by_cell = {results.cell: results for results in cells}
    pairs = sorted(
        (cell.execution.batch_size, seconds(results) < seconds(by_cell[twin]))
        for cell, results in by_cell.items()
        if (cell.workload, cell.backend) == key and cell.execution.device != "cpu"
        if (twin := cell.but(device="cpu")) in by_cell
    )
    stretches = [
        (gpu_leads, list(group)) for gpu_leads, group in groupby(pairs, lambda pair: pair[1])
    ]
    gpu_leads, last = stretches[-1]
    return last[0][0] if gpu_leads else None


def seconds(results: CellResults) -> float:
    """Return the step time of a cell of the sweep."""
    speed = results.speed
    assert speed is not None
    assert speed.step_seconds is not None, "`sweep` chose it for that"
    return speed.step_seconds.value
