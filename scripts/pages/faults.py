"""Write the tables of docs/faults.md from docs/faults*.json: `python -m scripts.pages.faults`."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from reports.text import NOTHING, table
from scripts.pages import marked
from tests.faults.soak import SoakResult

DOCS = marked.ROOT / "docs"
PAGE = DOCS / "faults.md"
FIGURES, REAL_FIGURES = DOCS / "faults.json", DOCS / "faults-real.json"
SOAK_FIGURES = DOCS / "faults-soak.json"
HEADERS = ["row", "fault", "tries", "passed", "lost records", "left behind", "longest recovery"]


def table_of(tallies: Sequence[Mapping[str, Any]]) -> str:
    return table(HEADERS, map(row, tallies), "row,tries,passed,lost records,left behind")


def row(tally: Mapping[str, Any]) -> list[str]:
    seconds = tally["longest_seconds"]
    return [
        str(tally["number"]),
        tally["fault"],
        str(tally["tries"]),
        str(tally["passed"]),
        NOTHING if tally["lost"] is None else str(tally["lost"]),
        NOTHING if tally["orphans"] is None else str(tally["orphans"]),
        NOTHING if seconds is None else f"{seconds:.1f} s",
    ]


def tables() -> Iterator[str]:
    """Yield the tables of the tries without and with real frameworks, and of the soak."""
    for figures in (FIGURES, REAL_FIGURES):
        yield table_of(json.loads(figures.read_text(encoding="utf-8")))
    yield SoakResult(**json.loads(SOAK_FIGURES.read_text(encoding="utf-8"))).table


def page(text: str) -> str:
    """Return the page with its tables made from the files."""
    return marked.fill(text, *marked.marks("faults"), *tables())


if __name__ == "__main__":
    marked.write(PAGE, page)
