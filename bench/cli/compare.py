"""`samestep compare`."""

import json
import re
import sys
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli.options import AsJson
from bench.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reports.compare import ComparedCell

PERCENTAGE = re.compile(r"([0-9]{1,6}(?:\.[0-9]{1,6})?)%")


def compare(
    folders: Annotated[
        list[str],
        typer.Argument(
            help="Folders of runs. A B: how fast B is against A. A1 A2 A3 against B1 B2 B3: the "
            "same for repeated runs, with the word `against` between them. A: its devices.",
            metavar="RUN",
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            help="A folder for comparison.md, comparison.json and figures. Default: print Markdown "
            "on standard output.",
        ),
    ] = None,
    fail_slower: Annotated[
        str | None,
        typer.Option(
            "--fail-slower",
            metavar="N%",
            help="Exit with 1 if a configuration is SLOWER by N % or more, and print a line for "
            "each.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Compare the speed of runs, machines and devices. Needs no framework."""
    from reports import compare as comparison
    from reports.results.impossible import reject_impossible

    limit = None if fail_slower is None else percentage(fail_slower)
    sides = comparison.read(folders)
    with reject_impossible(" and ".join(folders)):
        compared = comparison.compare(sides)
        written = None
        if out is not None:
            from reports.compare.files import write

            written = write(compared, out)
        if as_json:
            print(json.dumps(comparison.as_json(compared), indent=1, allow_nan=False))
        elif written is not None:
            print(written)
        else:
            print(comparison.compose(compared), end="")
    if limit is not None:
        sys.exit(gate(compared.cells, limit))


def percentage(text: str) -> Decimal:
    """Return the number in a text such as `10%`.

    Raises `UsageError` for a bare number: 0.1 might mean a tenth or a thousandth.
    """
    match = PERCENTAGE.fullmatch(text)
    if match is None:
        raise UsageError(f"--fail-slower N%. Expected: a percentage such as 10%. Received: {text}")
    return Decimal(match[1])


def gate(cells: "Sequence[ComparedCell]", limit: Decimal) -> int:
    """Return exit code 1 if a cell is slower by `limit` percent, or if no cell was compared."""
    from reports.compare import slowdowns

    if all(cell.claim is None for cell in cells):
        print("samestep: --fail-slower has no cell to judge: none was compared", file=sys.stderr)
        return 1
    failures = list(slowdowns(cells, limit))
    for line in failures:
        print(f"samestep: {line}", file=sys.stderr)
    return 1 if failures else 0
