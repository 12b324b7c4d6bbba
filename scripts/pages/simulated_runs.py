"""Write the table of simulated comparisons into a page: `python -m scripts.pages.simulated_runs`.

The figures come from docs/simulations/runs.json, which `scripts.simulations.runs` wrote.
"""

import json
from itertools import groupby
from typing import Any

from reports.text import table
from scripts.pages import marked
from scripts.simulations.runs import EFFECTS, FILE

PAGE = marked.ROOT / "docs" / "comparing.md"
SIDES = {1: "one run per side", 3: "three runs per side"}
COLUMNS = ("false claims", "false failures", *(f"{effect:.0%} found" for effect in EFFECTS))


def page(text: str) -> str:
    """Return the page with the tables of its figures."""
    return marked.fill(text, *marked.marks("simulated_runs"), section())


def section() -> str:
    """Return a table per number of runs, with a row per machine."""
    rows = json.loads(FILE.read_text(encoding="utf-8"))
    ordered = sorted(rows, key=lambda row: row["runs"])
    return "\n\n".join(
        table([f"what differs, {SIDES[runs]}", *COLUMNS], map(cells, group), ",".join(COLUMNS))
        for runs, group in groupby(ordered, lambda row: row["runs"])
    )


def cells(row: dict[str, Any]) -> list[str]:
    shares = [row["false"], row["fails"], *row["found"].values()]
    return [row["machine"], *(percent(share) for share in shares)]


def percent(share: float) -> str:
    return f"{100 * share:.1f} %"


if __name__ == "__main__":
    marked.write(PAGE, page)
