"""The table of docs/faults.md, from docs/faults.json: `python -m tests.faults.table` writes it."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.files import write_atomically
from reports.text import NOTHING, table

DOCS = Path(__file__).resolve().parent.parent.parent / "docs"
FIGURES, PAGE = DOCS / "faults.json", DOCS / "faults.md"
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
    """The page with its table made anew."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    figures = json.loads(FIGURES.read_text(encoding="utf-8"))
    return f"{before}{BEGIN}\n\n{table_of(figures)}\n\n{END}{after}"


if __name__ == "__main__":
    write_atomically(PAGE, page(PAGE.read_text(encoding="utf-8")).encode())
