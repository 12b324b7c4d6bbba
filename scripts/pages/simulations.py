"""Write the error rate and the power of the verdicts: `python -m scripts.pages.simulations`.

The figures come from docs/simulations/rounds.json, which `scripts.simulations.rounds` wrote.
"""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from reports.text import join_words, percent, table
from scripts.pages import marked
from scripts.simulations.neighbours import neighbour_correlation
from scripts.simulations.noise import SHAPES
from scripts.simulations.rounds import FILE, NOISE

PAGE = marked.ROOT / "docs" / "measuring.md"
HEADERS = [
    "claims", "rounds", "false, at most", "false, strong drift", "found: 5 %", "found: 10 %",
    "10 %, other noise", "Holm: false, at most", "Holm: 10 %",
]  # fmt: skip
PUBLISHED = marked.ROOT / "reports" / "published"
# the runs that time all workloads
MEASURED = ("2026-11-24-amd-epyc-2-cores", "2026-11-25-amd-epyc-2-cores")
Row = dict[str, Any]
# kinds of noise that keep the assumption of independent rounds, nearly at least, and the other
BEYOND = ("strongly drifting",)
WITHIN = tuple(shape for shape in SHAPES if shape not in BEYOND)


def section() -> str:
    """Return the table, and the sentence that explains it."""
    rows: list[Row] = json.loads(FILE.read_text(encoding="utf-8"))
    groups: dict[tuple[int, int], list[Row]] = {}
    for row in rows:
        groups.setdefault((row["claims"], row["rounds"]), []).append(row)
    others = ", ".join(WITHIN[1:])
    runs = rows[0]["runs"]
    return "\n\n".join([
        neighbours(),
        f"Simulated: {runs} runs per setting, with {percent(NOISE, 0)} noise in a ratio of two "
        "trials. Effects are planted in every other cell. False: the share of runs with at least "
        "one wrong FASTER or SLOWER, the largest over the kinds of noise, with and without "
        "effects. In a strong drift, half of a round's noise stays in the next round of the same "
        "cell: that breaks the assumption that rounds are independent. "
        "Found: the share of the planted effects that are called FASTER or SLOWER with "
        f"normal noise; in the next column the lowest of the other kinds ({others}). Holm: the "
        "same conditions with signed-rank tests and Holm's method.",
        table(HEADERS, [line(key, group) for key, group in groups.items()], ",".join(HEADERS)),
    ])  # fmt: skip


def neighbours() -> str:
    """Return how much the rounds of published runs depend on each other."""
    link = "[{0}](../reports/published/{0}/report.md)"
    values = [
        f"{neighbour_correlation(PUBLISHED / name):.2f} in {link.format(name)}" for name in MEASURED
    ]
    return (
        "Measured: the correlation between neighbouring rounds of a claim is on average above that "
        f"of rounds in a random order, by {join_words(values)}."
    )


def line(key: tuple[int, int], rows: Sequence[Row]) -> list[str]:
    """Return the line of a number of claims and of rounds."""
    claims, rounds = key
    return [
        str(claims),
        str(rounds),
        percent(max(false(rows, WITHIN)), 1),
        percent(max(false(rows, BEYOND)), 1),
        percent(min(found(rows, 0.05, WITHIN[:1])), 0),
        percent(min(found(rows, 0.1, WITHIN[:1])), 0),
        percent(min(found(rows, 0.1, WITHIN[1:])), 0),
        percent(max(false(rows, WITHIN, "holm")), 1),
        percent(min(found(rows, 0.1, WITHIN[:1], "holm")), 0),
    ]


def false(rows: Sequence[Row], shapes: Sequence[str], rule: str = "max_t") -> Iterator[float]:
    """Yield the share of runs with a false difference, for each of the kinds of noise."""
    for row in rows:
        if row["noise"] in shapes:
            yield row[rule]["false"]


def found(
    rows: Sequence[Row], effect: float, shapes: Sequence[str], rule: str = "max_t"
) -> Iterator[float]:
    """Yield the share that was found of this effect, for each of the kinds of noise."""
    for row in rows:
        if row["effect"] == effect and row["noise"] in shapes:
            yield row[rule]["found"]


def page(text: str) -> str:
    """Return the page with its table made from the simulation."""
    return marked.fill(text, *marked.marks("simulations"), section())


if __name__ == "__main__":
    marked.write(PAGE, page)
