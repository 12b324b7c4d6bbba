"""What differs between a file of a run and what it should be: texts by line, figures by content."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import zip_longest

from reports.drawing.png import DESCRIPTION, SOFTWARE, texts

ABSENT = "nothing"
# of the lines that differ so many are shown, and of each so much around the first difference
MOST_LINES = 3
BEFORE, AFTER = 40, 80


@dataclass(frozen=True, kw_only=True)
class Difference:
    """What should stand in a file of the run, and what does; excerpts of a few lines."""

    file: str
    where: str
    expected: str
    found: str

    @property
    def place(self) -> str:
        return f"{self.file}, {self.where}" if self.where else self.file


def text_differences(file: str, expected: str, found: str | None) -> Iterator[Difference]:
    """One difference with the first lines that differ; `found` None: there is no such file."""
    if found is None:
        yield Difference(file=file, where="", expected="a file", found=ABSENT)
    elif found != expected:
        unequal = list(unequal_lines(expected.split("\n"), found.split("\n")))
        excerpts = [around(*pair) for _, *pair in unequal[:MOST_LINES]]
        yield Difference(
            file=file,
            where=f"line {unequal[0][0]}",
            expected="\n".join(pair[0] for pair in excerpts),
            found="\n".join(pair[1] for pair in excerpts),
        )


def unequal_lines(expected: Sequence[str], found: Sequence[str]) -> Iterator[tuple[int, str, str]]:
    """Yield each line that differs: its number in `found`, the expected line, the line found.

    A line that stands in one text alone has an empty line beside it.
    """
    # its default leaves frequent lines out at first, without which a stranger's file of a million
    # equal lines would take hours; so a part that it calls unequal may hold equal pairs
    for kind, start, end, at, until in SequenceMatcher(a=expected, b=found).get_opcodes():
        if kind != "equal":
            pairs = zip_longest(expected[start:end], found[at:until])
            for number, (wanted, received) in enumerate(pairs, start=at + 1):
                if wanted != received:
                    yield number, wanted or "", received or ""


def around(expected: str, found: str) -> tuple[str, str]:
    """Both cut to what surrounds the first character in which they differ."""
    same = zip(expected, found, strict=False)
    end = min(len(expected), len(found))
    first = next((place for place, (a, b) in enumerate(same) if a != b), end)
    start = max(0, first - BEFORE)
    return cut(expected, start), cut(found, start)


def cut(line: str, start: int) -> str:
    end = start + BEFORE + AFTER
    return f"{'…' if start else ''}{line[start:end]}{'…' if len(line) > end else ''}"


def figure_differences(
    folder: str, drawn: Mapping[str, bytes], found: Mapping[str, bytes]
) -> Iterator[Difference]:
    """By file name: what was `drawn` from the records, and what was `found` in the folder."""
    for name in sorted(drawn.keys() | found.keys()):
        file = f"{folder}/{name}"
        if name not in found:
            yield Difference(file=file, where="", expected="a figure", found=ABSENT)
        elif name not in drawn:
            yield Difference(file=file, where="", expected=ABSENT, found="a file")
        elif drawn[name] != found[name]:
            yield from picture_differences(file, drawn[name], found[name])


def picture_differences(file: str, drawn: bytes, found: bytes) -> Iterator[Difference]:
    expected, received = (texts(one).get(DESCRIPTION, ABSENT) for one in (drawn, found))
    if expected != received:
        yield Difference(file=file, where=DESCRIPTION, expected=expected, found=received)
    elif other_software(drawn, found) is None:
        yield Difference(
            file=file, where="picture", expected="as drawn from the records", found="another"
        )


def other_software(drawn: bytes, found: bytes) -> str | None:
    """What drew the figure that was found, where it is not what drew the other."""
    here, there = (texts(one).get(SOFTWARE) for one in (drawn, found))
    return None if here == there else there or None


def figures_not_compared(
    folder: str, drawn: Mapping[str, bytes], found: Mapping[str, bytes]
) -> Iterator[str]:
    """Figures of other versions, which draw the same in other pixels: a note for each."""
    for name in sorted(drawn.keys() & found.keys()):
        there = other_software(drawn[name], found[name])
        if there is not None:
            yield f"{folder}/{name}: pixels not compared: drawn by {there}"
