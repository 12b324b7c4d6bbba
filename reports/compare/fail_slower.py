"""Which cells became slower by so much that a build should fail."""

from collections.abc import Iterator, Sequence
from decimal import Decimal

from bench.stats import Verdict
from reports.compare.pairs import ComparedCell
from reports.compare.words import in_times, where
from reports.text import centre, printable


def slower(cells: Sequence[ComparedCell], percentage: Decimal) -> Iterator[str]:
    """A line of plain text for each cell that is SLOWER by so many percent or more.

    It follows verdicts: what is AMBIGUOUS passes, however large its ratio.
    """
    for one in cells:
        if one.verdict is Verdict.SLOWER and longer(one) >= percentage:
            found = f"{where(one)} takes {in_times(one)} in {one.run}: {one.verdict}"
            yield printable(f"{found}. Expected: less than {percentage} % longer")


def longer(one: ComparedCell) -> Decimal:
    """By how many percent, from the digits that are shown: 1.099 is shown, and counts, as 1.10.

    Whoever reads the table must not be contradicted by it.
    """
    if one.comparison is None:
        return Decimal(0)
    return 100 * (Decimal(centre(one.comparison.ratio).replace(",", "")) - 1)
