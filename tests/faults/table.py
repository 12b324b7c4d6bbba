"""The table of docs/faults.md, from docs/faults.json: `python -m tests.faults.table` writes it."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.files import write_atomically
from reports.text import NOTHING, table

DOCS = Path(__file__).resolve().parent.parent.parent / "docs"
PAGE = DOCS / "faults.md"
FIGURES, REAL_FIGURES = DOCS / "faults.json", DOCS / "faults-real.json"
BEGIN, END = "<!-- made by tests.faults.table -->", "<!-- end of tests.faults.table -->"
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


def page(text: str) -> str:
    """The page with its tables made anew: that of the stand-in, then that of real frameworks."""
    for number, figures in enumerate((FIGURES, REAL_FIGURES), start=1):
        *before, rest = text.split(BEGIN, number)
        _, _, after = rest.partition(END)
        found = table_of(json.loads(figures.read_text(encoding="utf-8")))
        text = f"{BEGIN.join(before)}{BEGIN}\n\n{found}\n\n{END}{after}"
    return text


if __name__ == "__main__":
    write_atomically(PAGE, page(PAGE.read_text(encoding="utf-8")).encode())
