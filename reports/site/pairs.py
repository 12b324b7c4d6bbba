"""Every two runs compared, computed when the site is made: a page has no server to ask."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, combinations
from pathlib import Path

from reports.compare import ComparedRun, render
from reports.compare.pairs import in_both
from reports.site.document import Document, document
from reports.text import file_name


@dataclass(frozen=True, kw_only=True)
class Pair:
    """`second` against `first`, the earlier run; no text where they have no cell in common."""

    first: str
    second: str
    anchor: str
    text: Document | None


def pairs(runs: Sequence[ComparedRun], directory: Path) -> Iterator[Pair]:
    for first, second in combinations(sorted(runs, key=lambda one: one.run.created), 2):
        anchor = f"{file_name(first.name)}--{file_name(second.name)}"
        common = any(chain(in_both(first, second, "timing"), in_both(first, second, "accuracy")))
        yield Pair(
            first=first.name,
            second=second.name,
            anchor=anchor,
            text=compared(first, second, anchor, directory) if common else None,
        )


def compared(first: ComparedRun, second: ComparedRun, anchor: str, directory: Path) -> Document:
    # the page has a heading of its own for each pair, in place of the text's
    _, _, text = render((first, second)).partition("\n\n")
    return document(text, directory, prefix=f"{anchor}--", deeper=1)


def ranking(runs: Sequence[ComparedRun]) -> list[ComparedRun]:
    """Those that may be compared: a smoke run ranks nothing."""
    return [one for one in runs if one.run.profile != "smoke"]
