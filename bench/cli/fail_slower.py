"""The option `--fail-slower`: exit with 1 if something became slower by so many percent."""

import re
import sys
from collections.abc import Iterable
from decimal import Decimal
from typing import Annotated

import typer

from bench.errors import UsageError

PERCENTAGE = re.compile(r"([0-9]{1,6}(?:\.[0-9]{1,6})?)%")

FailSlower = Annotated[
    str | None,
    typer.Option(
        "--fail-slower",
        metavar="N%",
        help="Exit with 1 if a configuration is SLOWER by N % or more, and print a line for each.",
    ),
]


def percentage(text: str) -> Decimal:
    """Return the number in a text such as `10%`.

    Raises `UsageError` for a bare number: 0.1 might mean a tenth or a thousandth.
    """
    match = PERCENTAGE.fullmatch(text)
    if match is None:
        raise UsageError(f"--fail-slower N%. Expected: a percentage such as 10%. Received: {text}")
    return Decimal(match[1])


def gate(slowdowns: Iterable[str], judged: int) -> int:
    """Print the slowdowns, and return 1 if there are any, or if nothing was judged."""
    if judged == 0:
        print("samestep: --fail-slower has no cell to judge: none was compared", file=sys.stderr)
        return 1
    lines = list(slowdowns)
    for line in lines:
        print(f"samestep: {line}", file=sys.stderr)
    return 1 if lines else 0
