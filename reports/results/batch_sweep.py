"""Cells that differ in their batch size alone, and where a GPU overtakes the CPU."""

from collections.abc import Sequence
from itertools import groupby

from reports.results.cells import CellResults, workloads


def sweep(cells: Sequence[CellResults]) -> list[CellResults]:
    """Return the cells with a step time whose workload has more than one batch size."""
    timed = [one for one in cells if one.speed is not None and one.speed.step_seconds is not None]
    sizes: dict[str, set[int]] = {}
    for results in timed:
        sizes.setdefault(results.cell.workload, set()).add(results.cell.execution.batch_size)
    swept = [one for one in timed if len(sizes[one.cell.workload]) > 1]
    order = workloads(cells)
    return sorted(swept, key=lambda one: (place(one, order), one.cell.execution.batch_size))


def place(results: CellResults, order: Sequence[str]) -> tuple[int, str, str]:
    """Return the place of a cell's line: the cells of a line stand together."""
    return order.index(results.cell.workload), results.cell.backend, line(results)


def line(results: CellResults) -> str:
    """Return what the cells of a line of the figure have in common: all but the batch size."""
    return results.cell.but(batch_size=1).label


def crossings(cells: Sequence[CellResults]) -> list[tuple[str, str]]:
    """Return workload and backend of each cell of a GPU that has its twin on the CPU."""
    known = [results.cell for results in cells]
    both = [
        (cell.workload, cell.backend)
        for cell in known
        if cell.execution.device != "cpu" and cell.but(device="cpu") in known
    ]
    return list(dict.fromkeys(both))


def first_ahead(key: tuple[str, str], cells: Sequence[CellResults]) -> int | None:
    """Return the batch size from which on the GPU's step takes less time than the CPU's.

    `key` is workload and backend. None if the CPU is ahead at the largest batch size.
    """
    by_cell = {results.cell: results for results in cells}
    pairs = sorted(
        (cell.execution.batch_size, seconds(results) < seconds(by_cell[twin]))
        for cell, results in by_cell.items()
        if (cell.workload, cell.backend) == key and cell.execution.device != "cpu"
        if (twin := cell.but(device="cpu")) in by_cell
    )
    stretches = [(ahead, list(group)) for ahead, group in groupby(pairs, lambda pair: pair[1])]
    ahead, last = stretches[-1]
    return last[0][0] if ahead else None


def seconds(results: CellResults) -> float:
    """Return the step time of a cell of the sweep."""
    speed = results.speed
    assert speed is not None
    assert speed.step_seconds is not None, "`sweep` chose it for that"
    return speed.step_seconds.value
