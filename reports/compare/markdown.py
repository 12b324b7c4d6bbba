"""A comparison as Markdown: what was found first, then the runs, the cells and what differs."""

from collections.abc import Iterator, Sequence
from itertools import chain

from reports.compare import accuracy, table, the_runs
from reports.compare.pairs import ComparedCell, ComparedRun, compare, in_both
from reports.compare.words import in_short
from reports.text import escape, listed, plural


def render(runs: Sequence[ComparedRun]) -> str:
    """Without figures; the same runs give the same text."""
    return compose(runs, compare(runs))


def compose(
    runs: Sequence[ComparedRun], cells: Sequence[ComparedCell], images: Sequence[str] = ()
) -> str:
    """`cells` as `compare` gives them for these runs; `images` are links to figures."""
    first = escape(runs[0].name)
    blocks = chain(
        [f"# Comparison of {plural(len(runs), 'run')}", in_short(first, cells)],
        [f"Each against the first, {first}."],
        the_runs.section(runs),
        ["## The same cells"],
        images,
        table.claims(cells),
        alone(runs),
        accuracy.section(runs),
        table.others_settings(cells),
    )
    return "\n\n".join(blocks) + "\n"


def alone(runs: Sequence[ComparedRun]) -> Iterator[str]:
    """Cells that could not be compared since not every run has their times."""
    first, *others = runs
    for other in others:
        common = {cell.cell for cell, _ in in_both(first, other, "timing")}
        labels = {one.cell.label for side in (first, other) for one in side.cells
                  if one.cell not in common}  # fmt: skip
        if labels:
            yield f"Not timed in both, {escape(other.name)}: {listed(map(escape, sorted(labels)))}."
