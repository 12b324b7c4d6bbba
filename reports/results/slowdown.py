"""How much slower something became, in the words of `--fail-slower`."""

from decimal import Decimal

from bench.stats import Estimate, Verdict
from reports.text import centre, factor_estimate, one_line


def slowdown(
    subject: str,
    where: str,
    verdict: Verdict | None,
    times_as_long: Estimate | None,
    percentage: Decimal,
) -> str | None:
    """Write one line of plain text if the verdict is SLOWER by `percentage` percent or more.

    The verdict decides: None for an UNCLEAR or UNDECIDED one, however large its ratio.
    """
    if verdict is not Verdict.SLOWER or times_as_long is None:
        return None
    extra = extra_percent(times_as_long)
    if extra < percentage:
        return None
    speed = f"{factor_estimate(times_as_long.inverse())} as fast{where}"
    more = f"{extra.normalize():f} % more time"
    expected = f"Expected: less than {percentage} % more"
    return one_line(f"{subject}: {speed}, {more}: {verdict}. {expected}")


def extra_percent(times_as_long: Estimate) -> Decimal:
    """Return by how many percent something takes longer, with the digits of its interval.

    What takes 1.099 times as long counts as 1.10 if its interval allows two decimals.
    """
    return 100 * Decimal(centre(times_as_long).replace(",", "")) - 100
