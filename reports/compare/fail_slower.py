"""Find the cells that became slower by so much that a build should fail."""

from collections.abc import Iterator, Sequence
from decimal import Decimal

from bench.stats import Verdict
from reports.compare.pairs import ComparedCell
from reports.compare.words import cell_text, speedup_text
from reports.text import centre, one_line


def slowdowns(cells: Sequence[ComparedCell], percentage: Decimal) -> Iterator[str]:
    """Write one line of plain text per cell that is SLOWER by `percentage` percent or more.

    The verdict decides: an UNCLEAR or UNDECIDED cell passes, however large its ratio.
    """
    for cell in cells:
        if cell.verdict is Verdict.SLOWER and (extra := extra_percent(cell)) >= percentage:
            more = f"{extra.normalize():f} % more time"
            speed = f"{speedup_text(cell.claim)} as fast in {cell.run}, {more}"
            expected = f"Expected: less than {percentage} % more"
            yield one_line(f"{cell_text(cell)}: {speed}: {cell.verdict}. {expected}")


def extra_percent(cell: ComparedCell) -> Decimal:
    """Return by how many percent the cell takes longer, with the digits that its interval allows.

    A cell that takes 1.099 times as long counts as 1.10 if its interval allows two decimals.
    """
    if cell.comparison is None:
        return Decimal(0)
    return 100 * Decimal(centre(cell.comparison.ratio).replace(",", "")) - 100
