"""A comparison as Markdown: sentences, tables of the cells, accuracy, then what differs."""

from collections.abc import Iterator, Sequence
from itertools import chain

from reports.compare import accuracy, differences, table, the_runs
from reports.compare.comparison import ComparedSides, compare
from reports.compare.pairs import matched_cells
from reports.compare.sides import Side
from reports.compare.words import sentences
from reports.text import comma_list, details, escape, plural


def render(sides: Sequence[Side]) -> str:
    """Write the comparison of these sides without figures; the same runs give the same text."""
    return compose(compare(sides))


def compose(compared: ComparedSides, images: Sequence[str] = ()) -> str:
    """Write the comparison; `images` are links to figures."""
    blocks = chain(
        [f"# Comparison of {plural(len(compared.runs), 'run')}", lead(compared)],
        images,
        table.section(compared),
        unmatched_cells(compared.sides),
        accuracy.section(compared.sides),
        ["## What differs"],
        differences.section(compared),
        the_runs.section(compared.runs),
    )
    return "\n\n".join(blocks) + "\n"


def lead(compared: ComparedSides) -> str:
    """Write the sentences as a list, or that there are none."""
    lines = sentences(compared)
    if not lines:
        return "Nothing is said about speed: the runs have no cell that may be compared."
    return "\n".join(f"- {line}" for line in lines)


def unmatched_cells(sides: Sequence[Side]) -> Iterator[str]:
    """List, per side, the cells that were not timed in both this side and the first."""
    first, *others = sides
    for other in others:
        common = {
            results[0].cell for pair in matched_cells(first, other, "timing") for results in pair
        }
        labels = {cell.cell.label for side in (first, other) for cell in side.cells
                  if cell.cell not in common}  # fmt: skip
        if labels:
            names = comma_list(map(escape, sorted(labels)))
            summary = f"{plural(len(labels), 'configuration')} not timed on both sides"
            yield details(f"{summary}: {escape(other.name)}", names)
