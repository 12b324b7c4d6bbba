"""A comparison's folder: `comparison.md`, `comparison.json` and the figures."""

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path

from bench.errors import UsageError
from bench.files import write_atomically
from reports.compare.card import cards
from reports.compare.comparison import ComparedSides
from reports.compare.comparison_json import as_json
from reports.compare.figure import Page, figures, pages
from reports.compare.markdown import compose
from reports.drawing.card import card_files
from reports.report import describe, write_figures
from reports.results.card import Card
from reports.sections.card import card_picture
from reports.text import FIGURE_FOLDER

MARKDOWN_FILE = "comparison.md"
JSON_FILE = "comparison.json"


def write(compared: ComparedSides, folder: Path) -> Path:
    """Write the comparison into the folder, and return the path of its Markdown.

    Raises `UsageError` if the folder holds
    anything but an earlier comparison, `WriteError` if a file can't be written.
    """
    require_available(folder)
    document = json.dumps(as_json(compared), indent=1, allow_nan=False)
    # first, because it marks the folder as a comparison's
    write_atomically(folder / JSON_FILE, f"{document}\n".encode())
    shown = {f"card-{number}": card for number, card in enumerate(cards(compared), 1)}
    sheets = pages(compared)
    links = [
        *(card_picture(card, name) for name, card in shown.items()),
        *(page.link for page in sheets),
    ]
    text = compose(compared, links)
    # before the text, so that the text always links to figures that exist
    write_figures(pictures(shown, sheets, text), folder / FIGURE_FOLDER)
    write_atomically(folder / MARKDOWN_FILE, text.encode())
    return folder / MARKDOWN_FILE


def pictures(
    shown: Mapping[str, Card], sheets: Sequence[Page], text: str
) -> Iterator[tuple[str, bytes]]:
    """Yield the files of all figures, by name, each with its alternative in the text."""
    drawn = (card_files(card, name) for name, card in shown.items())
    return describe(chain(*drawn, figures(sheets)), text)


def require_available(folder: Path) -> None:
    """Raise `UsageError` if the folder may hold other figures, which would be deleted."""
    if not is_available(folder):
        raise UsageError(
            f"{folder} is in use. Expected: a new or empty folder, or one of an earlier comparison"
        )


def is_available(folder: Path) -> bool:
    """Return whether the folder is absent, empty, or that of an earlier comparison."""
    if not folder.is_dir():
        return not folder.exists()
    return (folder / JSON_FILE).is_file() or not any(folder.iterdir())
