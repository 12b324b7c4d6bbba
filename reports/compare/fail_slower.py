"""Find the cells that became slower by so much that a build should fail."""

from collections.abc import Iterator, Sequence
from decimal import Decimal

from reports.compare.pairs import ComparedCell
from reports.compare.words import cell_text
from reports.results.slowdown import slowdown


def slowdowns(cells: Sequence[ComparedCell], percentage: Decimal) -> Iterator[str]:
    """Write one line of plain text per cell that is SLOWER by `percentage` percent or more."""
    for cell in cells:
        ratio = None if cell.comparison is None else cell.comparison.ratio
        line = slowdown(cell_text(cell), f" in {cell.run}", cell.verdict, ratio, percentage)
        if line is not None:
            yield line
