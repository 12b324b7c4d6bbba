"""`samestep compare`."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from bench.cli.fail_slower import FailSlower, gate, percentage
from bench.cli.options import AsJson


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
    fail_slower: FailSlower = None,
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
        judged = sum(cell.claim is not None for cell in compared.cells)
        sys.exit(gate(comparison.slowdowns(compared.cells, limit), judged))
