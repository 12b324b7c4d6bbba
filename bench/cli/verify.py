"""`samestep verify`."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from bench.cli.options import AsJson


def verify(
    path: Annotated[
        Path,
        typer.Argument(help="A run's folder, or a folder that holds several.", metavar="PATH"),
    ],
    as_json: AsJson = False,
) -> None:
    """Compute reports again from their records, and print the differences.

    Exits with 1 if there are any. Needs no framework.
    """
    from reports.publishing import verify as verification

    results = []
    for folder in verification.find_runs(path):
        results.append(verification.verify(folder))
        if not as_json:
            print(verification.as_text(results[-1]), flush=True)
    if as_json:
        print(json.dumps(verification.as_json(results), indent=1))
    sys.exit(1 if any(result.differences for result in results) else 0)
