"""The tables of docs/faults.md, from docs/faults*.json: `python -m scripts.pages.faults`."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.files import write_atomically
from reports.text import NOTHING, table
from tests.faults.soak import Found

DOCS = Path(__file__).resolve().parent.parent.parent / "docs"
PAGE = DOCS / "faults.md"
FIGURES, REAL_FIGURES = DOCS / "faults.json", DOCS / "faults-real.json"
SOAK_FIGURES = DOCS / "faults-soak.json"
BEGIN, END = "<!-- made by scripts.pages.faults -->", "<!-- end of scripts.pages.faults -->"
HEADERS = ["row", "fault", "tries", "passed", "lost records", "left behind", "longest recovery"]


def table_of(tallies: Sequence[Mapping[str, Any]]) -> str:
    return table(HEADERS, map(row, tallies), "row,tries,passed,lost records,left behind")


def row(one: Mapping[str, Any]) -> list[str]:
    seconds = one["longest_seconds"]
    return [
        str(one["number"]),
        one["fault"],
        str(one["tries"]),
        str(one["passed"]),
        NOTHING if one["lost"] is None else str(one["lost"]),
        NOTHING if one["orphans"] is None else str(one["orphans"]),
        NOTHING if seconds is None else f"{seconds:.1f} s",
    ]


def tables() -> Iterator[str]:
    """Of the stand-in, of real frameworks, of the soak."""
    for figures in (FIGURES, REAL_FIGURES):
        yield table_of(json.loads(figures.read_text(encoding="utf-8")))
    yield Found(**json.loads(SOAK_FIGURES.read_text(encoding="utf-8"))).table


def page(text: str) -> str:
    """The page with its tables made anew."""
    before, *parts = text.split(BEGIN)
    made = [
        f"{BEGIN}\n\n{found}\n\n{END}{part.partition(END)[2]}"
        for found, part in zip(tables(), parts, strict=True)
    ]
    return "".join([before, *made])


if __name__ == "__main__":
    write_atomically(PAGE, page(PAGE.read_text(encoding="utf-8")).encode())
