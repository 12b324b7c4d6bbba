"""The comparison of any two runs, computed when the site is written: a page has no server."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, combinations
from pathlib import Path

from reports.compare import ComparedRun, Side, render
from reports.compare.pairs import matched_cells
from reports.site.document import Document, document
from reports.text import file_name


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Two runs, the earlier one first; `text` is None if they have no cell in common."""

    first: str
    second: str
    anchor: str
    text: Document | None


def pairs(runs: Sequence[ComparedRun], directory: Path) -> Iterator[Pair]:
    """Yield all pairs of runs; the second is compared with the first."""
    for first, second in combinations(sorted(runs, key=lambda compared: compared.run.created), 2):
        anchor = f"{file_name(first.name)}--{file_name(second.name)}"
        sides = Side(runs=(first,)), Side(runs=(second,))
        common = any(chain(matched_cells(*sides, "timing"), matched_cells(*sides, "accuracy")))
        yield Pair(
            first=first.name,
            second=second.name,
            anchor=anchor,
            text=comparison(sides, anchor, directory) if common else None,
        )


def comparison(sides: Sequence[Side], anchor: str, directory: Path) -> Document:
    """Return the comparison as `samestep compare` writes it, without its title."""
    # the page writes its own heading per pair
    _, _, text = render(sides).partition("\n\n")
    return document(text, directory, prefix=f"{anchor}--", deeper=1)


def ranking(runs: Sequence[ComparedRun]) -> list[ComparedRun]:
    """Return the runs that may be compared: a smoke run ranks nothing."""
    return [compared for compared in runs if compared.run.profile != "smoke"]
