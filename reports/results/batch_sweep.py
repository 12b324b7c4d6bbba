"""Cells that differ in their batch size alone, and where one overtakes another."""

from collections.abc import Sequence
from itertools import groupby

from reports.results.cells import CellResults, workloads
from reports.text import escape


def swept(cells: Sequence[CellResults]) -> list[CellResults]:
    """Those with a step time of whose workload the run has more than one batch size."""
    timed = [one for one in cells if one.speed is not None and one.speed.step_seconds is not None]
    sizes: dict[str, set[int]] = {}
    for one in timed:
        sizes.setdefault(one.cell.workload, set()).add(one.cell.execution.batch_size)
    found = [one for one in timed if len(sizes[one.cell.workload]) > 1]
    return sorted(found, key=lambda one: (found_place(one, cells), one.cell.execution.batch_size))


def found_place(one: CellResults, cells: Sequence[CellResults]) -> tuple[int, str, str]:
    """Workloads in their order, then what differs in the batch size alone side by side."""
    return workloads(cells).index(one.cell.workload), one.cell.backend, line_of(one)


def line_of(results: CellResults) -> str:
    """What all cells of one line of the figure have in common beside workload and backend."""
    return results.cell.but(batch_size=1).label


def crossings(found: Sequence[CellResults]) -> list[tuple[str, str]]:
    """Workload and backend of what has a time on the CPU and on a GPU at the same batch size."""
    cells = [one.cell for one in found]
    both = [
        (cell.workload, cell.backend)
        for cell in cells
        if cell.execution.device != "cpu" and cell.but(device="cpu") in cells
    ]
    return list(dict.fromkeys(both))


def overtaking(key: tuple[str, str], found: Sequence[CellResults]) -> str:
    """From which batch size on the GPU's step takes less time than the CPU's."""
    workload, backend = key
    by_cell = {one.cell: one for one in found}
    pairs = sorted(
        (cell.execution.batch_size, seconds(one) < seconds(by_cell[twin]))
        for cell, one in by_cell.items()
        if (cell.workload, cell.backend) == key and cell.execution.device != "cpu"
        if (twin := cell.but(device="cpu")) in by_cell
    )
    ahead = [size for size, _ in ahead_at_end(pairs)]
    what = f"{escape(workload)}, {escape(backend)}"
    if not ahead:
        return f"{what}: the CPU is ahead at the largest batch size of this run."
    return f"{what}: the GPU is ahead from a batch size of {ahead[0]:,} on."


def ahead_at_end(pairs: Sequence[tuple[int, bool]]) -> list[tuple[int, bool]]:
    """The last stretch of batch sizes at which the GPU is ahead."""
    *_, (last, stretch) = ((ahead, list(group)) for ahead, group in groupby(pairs, lambda p: p[1]))
    return stretch if last else []


def seconds(results: CellResults) -> float:
    speed = results.speed
    assert speed is not None
    assert speed.step_seconds is not None, "`swept` chose it for that"
    return speed.step_seconds.value
