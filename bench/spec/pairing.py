"""Which cells a report compares: one backend with another, a mode with the default one. Pure."""

from collections.abc import Iterable, Iterator
from itertools import combinations

from bench.spec import (
    Cell,
)

# native and step
LANES_JUDGED = 2


def opponents(cells: Iterable[Cell]) -> Iterator[tuple[Cell, Cell]]:
    """Each pair once, in the order of `cells`; the second is the reference, which came first."""
    for second, first in combinations(cells, 2):
        if first.workload == second.workload and (
            other_backend(first, second) or other_mode(first, second)
        ):
            yield first, second


def other_backend(first: Cell, second: Cell) -> bool:
    return first.execution == second.execution


def other_mode(first: Cell, second: Cell) -> bool:
    """The same backend and all else, the second one in the mode that nobody has to ask for."""
    return second == first.but(mode="default")


def claims(cells: Iterable[Cell]) -> int:
    """How many verdicts a report of these cells judges together."""
    return LANES_JUDGED * sum(1 for _ in opponents(cells))


def shared_by(cell: Cell) -> tuple[str, str, int]:
    """What cells have in common that are compared: they run the same slices, in turns."""
    return cell.workload, cell.execution.device, cell.execution.batch_size
