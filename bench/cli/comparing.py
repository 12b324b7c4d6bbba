"""`samestep compare`."""

import json
from pathlib import Path
from typing import Annotated

import typer

from bench.cli.options import AsJson


def compare(
    folders: Annotated[
        list[Path],
        typer.Argument(
            help="Folders of runs; each is compared with the first.", metavar="RUN RUN..."
        ),
    ],
    as_json: AsJson = False,
) -> None:
    """Print how the same cells did in two or more runs, as Markdown. Needs no framework."""
    from reports import compare as comparison

    runs = comparison.read(folders)
    if as_json:
        print(json.dumps(comparison.as_json(runs), indent=1))
    else:
        print(comparison.render(runs), end="")
