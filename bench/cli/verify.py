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
    """Compute reports again from their records, and say what differs. Exit 1 where something does.

    Needs no framework.
    """
    from reports.publishing import verify as verifying

    results = []
    for folder in verifying.runs_in(path):
        results.append(verifying.verify(folder))
        if not as_json:
            print(verifying.as_text(results[-1]), flush=True)
    if as_json:
        print(json.dumps(verifying.as_json(results), indent=1))
    sys.exit(1 if any(one.differences for one in results) else 0)
