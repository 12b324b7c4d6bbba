"""Find the cells that became slower by so much that a build should fail."""

from collections.abc import Iterator, Sequence
from decimal import Decimal

from bench.stats import Verdict
from reports.compare.pairs import ComparedCell
from reports.compare.words import cell_text, ratio_text
from reports.text import centre, one_line


def slowdowns(cells: Sequence[ComparedCell], percentage: Decimal) -> Iterator[str]:
    """Write one line of plain text per cell that is SLOWER by `percentage` percent or more.

    The verdict decides: an AMBIGUOUS cell passes, however large its ratio.
    """
    for cell in cells:
        if cell.verdict is Verdict.SLOWER and extra_percent(cell) >= percentage:
            sentence = f"{cell_text(cell)} takes {ratio_text(cell)} in {cell.run}: {cell.verdict}"
            yield one_line(f"{sentence}. Expected: less than {percentage} % longer")


def extra_percent(cell: ComparedCell) -> Decimal:
    """Return by how many percent the cell takes longer, as the table shows it.

    It is computed from the printed digits, so that the gate never contradicts the table: a ratio of
    1.099 is printed, and counts, as 1.10.
    """
    if cell.comparison is None:
        return Decimal(0)
    return 100 * (Decimal(centre(cell.comparison.ratio).replace(",", "")) - 1)
