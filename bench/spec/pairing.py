"""Decide which cells a report compares: backend with backend, and a mode with the default; pure."""

from collections.abc import Iterable, Iterator
from itertools import combinations

from bench.spec import (
    Cell,
)


def opponents(cells: Iterable[Cell]) -> Iterator[tuple[Cell, Cell]]:
    """Yield each pair of cells once, in the order of `cells`.

    The second cell of a pair is the reference; it comes first in `cells`.
    """
    for second, first in combinations(cells, 2):
        if first.workload == second.workload and (
            other_backend(first, second) or other_mode(first, second)
        ):
            yield first, second


def other_backend(first: Cell, second: Cell) -> bool:
    """Return whether the cells differ only in their backend."""
    return first.execution == second.execution


def other_mode(first: Cell, second: Cell) -> bool:
    """Return whether the second cell is the first one in the default mode."""
    return second == first.but(mode="default")


def shared_by(cell: Cell) -> tuple[str, str, int]:
    """Return what cells that are compared have in common: they run the same slices, in turns."""
    return cell.workload, cell.execution.device, cell.execution.batch_size
