"""`samestep publish`."""

import json
from pathlib import Path
from typing import Annotated

import typer

from bench.cli.options import AsJson, RunFolder


def publish(
    folder: RunFolder,
    to: Annotated[Path, typer.Option(help="The folder of all published runs.", metavar="DIR")],
    label: Annotated[
        str,
        typer.Option(help="Suffix of the folder's name, for another run of that day and machine."),
    ] = "",
    url: Annotated[
        str,
        typer.Option(
            help="The address at which others find DIR, for the citation of the run.",
            metavar="URL",
        ),
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Verify a run, remove names, and copy it with its report to DIR. Needs no framework."""
    from reports.publishing.publish import publish as publish_run
    from reports.site import write_site

    published = publish_run(folder, to, label, url)
    write_site(to)
    if as_json:
        answer = {"published": str(published.folder), "texts_replaced": published.replaced}
        print(json.dumps(answer))
    else:
        print(f"{published.folder}\n{summary(published.replaced)}")


def summary(replaced: int) -> str:
    """Write how many texts were replaced."""
    texts = {0: "no text", 1: "1 text"}.get(replaced, f"{replaced} texts")
    return f"{texts} replaced that named a home folder, a user, a host or a GPU's UUID"
