"""A comparison's folder: `comparison.md`, `comparison.json` and `figures/*.png`."""

import json
from collections.abc import Sequence
from pathlib import Path

from bench.errors import UsageError
from bench.files import write_atomically
from reports.compare.comparison_json import as_json
from reports.compare.figure import figures, pages
from reports.compare.markdown import compose
from reports.compare.pairs import ComparedCell, ComparedRun
from reports.report import FIGURES, write_figures

MARKDOWN_FILE = "comparison.md"
JSON_FILE = "comparison.json"


def write(runs: Sequence[ComparedRun], cells: Sequence[ComparedCell], folder: Path) -> Path:
    """`cells` as `compare` gives them for these runs; returns the path of the Markdown.

    Raises `UsageError` for a folder with anything but an earlier comparison, `WriteError`.
    """
    require_own(folder)
    document = json.dumps(as_json(runs, cells), indent=1, allow_nan=False)
    # first, since it marks the folder as a comparison's
    write_atomically(folder / JSON_FILE, f"{document}\n".encode())
    drawn = pages(runs[0].name, cells)
    # before the text: whenever it is read, it links to figures that exist
    write_figures(figures(drawn), folder / FIGURES)
    text = compose(runs, cells, [page.link(FIGURES) for page in drawn])
    write_atomically(folder / MARKDOWN_FILE, text.encode())
    return folder / MARKDOWN_FILE


def require_own(folder: Path) -> None:
    """Figures of an earlier comparison go, so that somebody else's must not be there."""
    if not is_own(folder):
        raise UsageError(
            f"{folder} is in use. Expected: a new or empty folder, or one of an earlier comparison"
        )


def is_own(folder: Path) -> bool:
    if not folder.is_dir():
        return not folder.exists()
    return (folder / JSON_FILE).is_file() or not any(folder.iterdir())
