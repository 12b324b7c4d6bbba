"""A comparison as Markdown: the result first, then the runs, the cells and the differences."""

from collections.abc import Iterator, Sequence
from itertools import chain

from reports.compare import accuracy, table, the_runs
from reports.compare.pairs import ComparedCell, ComparedRun, common_cells, compare
from reports.compare.words import summary
from reports.text import comma_list, escape, plural


def render(runs: Sequence[ComparedRun]) -> str:
    """Write the comparison of these runs without figures; the same runs give the same text."""
    return compose(runs, compare(runs))


def compose(
    runs: Sequence[ComparedRun], cells: Sequence[ComparedCell], images: Sequence[str] = ()
) -> str:
    """Write the comparison; `images` are links to figures.

    `cells` are those that `compare` returns for these runs.
    """
    first = escape(runs[0].name)
    blocks = chain(
        [f"# Comparison of {plural(len(runs), 'run')}", summary(first, cells)],
        [f"Each against the first, {first}."],
        the_runs.section(runs),
        ["## The same cells"],
        images,
        table.claims(cells),
        unmatched_cells(runs),
        accuracy.section(runs),
        table.changed_settings_table(cells),
    )
    return "\n\n".join(blocks) + "\n"


def unmatched_cells(runs: Sequence[ComparedRun]) -> Iterator[str]:
    """List, per run, the cells that were not timed in both this run and the first."""
    first, *others = runs
    for other in others:
        common = {cell.cell for cell, _ in common_cells(first, other, "timing")}
        labels = {results.cell.label for run in (first, other) for results in run.cells
                  if results.cell not in common}  # fmt: skip
        if labels:
            names = comma_list(map(escape, sorted(labels)))
            yield f"Not timed in both, {escape(other.name)}: {names}."
