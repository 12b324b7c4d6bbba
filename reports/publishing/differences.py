"""Differences between a run's file and its expected content: texts by line, figures by content."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import zip_longest

from reports.drawing.png import DESCRIPTION, SOFTWARE, texts

ABSENT = "nothing"
# lines per excerpt, and characters per line before and after the first difference
MOST_LINES = 3
BEFORE, AFTER = 40, 80


@dataclass(frozen=True, kw_only=True)
class Difference:
    """The expected and the actual content of a file of the run, as excerpts of a few lines."""

    file: str
    where: str
    expected: str
    found: str

    @property
    def place(self) -> str:
        """The file, and the place in it if there is one."""
        return f"{self.file}, {self.where}" if self.where else self.file


def text_differences(file: str, expected: str, found: str | None) -> Iterator[Difference]:
    """Yield at most one difference, with the first lines that differ.

    `found` is the file's text, or None if there is no such file.
    """
    if found is None:
        yield Difference(file=file, where="", expected="a file", found=ABSENT)
    elif found != expected:
        unequal = list(unequal_lines(expected.split("\n"), found.split("\n")))
        excerpts = [excerpt(*pair) for _, *pair in unequal[:MOST_LINES]]
        yield Difference(
            file=file,
            where=f"line {unequal[0][0]}",
            expected="\n".join(pair[0] for pair in excerpts),
            found="\n".join(pair[1] for pair in excerpts),
        )


def unequal_lines(expected: Sequence[str], found: Sequence[str]) -> Iterator[tuple[int, str, str]]:
    """Yield each line that differs: its number in `found`, the expected line, the actual line.

    For a line that is only in one text, the other line is empty.
    """
    # By default SequenceMatcher first ignores frequent lines. Otherwise a hostile file of a million
    # equal lines would take hours. So a block that it calls unequal may hold equal pairs.
    for kind, start, end, other_start, other_end in SequenceMatcher(
        a=expected, b=found
    ).get_opcodes():
        if kind != "equal":
            pairs = zip_longest(expected[start:end], found[other_start:other_end])
            for number, (line, other) in enumerate(pairs, start=other_start + 1):
                if line != other:
                    yield number, line or "", other or ""


def excerpt(expected: str, found: str) -> tuple[str, str]:
    """Cut both lines to the same range around the first character in which they differ."""
    same = zip(expected, found, strict=False)
    end = min(len(expected), len(found))
    first = next((place for place, (a, b) in enumerate(same) if a != b), end)
    start = max(0, first - BEFORE)
    return cut(expected, start), cut(found, start)


def cut(line: str, start: int) -> str:
    """Cut a line to `BEFORE` + `AFTER` characters, with an ellipsis for each part left out."""
    end = start + BEFORE + AFTER
    return f"{'…' if start else ''}{line[start:end]}{'…' if len(line) > end else ''}"


def figure_differences(
    folder: str, drawn: Mapping[str, bytes], found: Mapping[str, bytes]
) -> Iterator[Difference]:
    """Compare figures by file name: `drawn` from the records, and `found` in the folder."""
    for name in sorted(drawn.keys() | found.keys()):
        file = f"{folder}/{name}"
        if name not in found:
            yield Difference(file=file, where="", expected="a figure", found=ABSENT)
        elif name not in drawn:
            yield Difference(file=file, where="", expected=ABSENT, found="a file")
        elif drawn[name] != found[name]:
            yield from picture_differences(file, drawn[name], found[name])


def picture_differences(file: str, drawn: bytes, found: bytes) -> Iterator[Difference]:
    """Compare the descriptions in two PNG files, then the bytes if the same software drew both."""
    expected, received = (texts(picture).get(DESCRIPTION, ABSENT) for picture in (drawn, found))
    if expected != received:
        yield Difference(file=file, where=DESCRIPTION, expected=expected, found=received)
    elif other_software(drawn, found) is None:
        yield Difference(
            file=file, where="picture", expected="as drawn from the records", found="another"
        )


def other_software(drawn: bytes, found: bytes) -> str | None:
    """Return the software that drew `found`, or None if it is the same that drew `drawn`."""
    ours, theirs = (texts(picture).get(SOFTWARE) for picture in (drawn, found))
    return None if ours == theirs else theirs or None


def software_notes(
    folder: str, drawn: Mapping[str, bytes], found: Mapping[str, bytes]
) -> Iterator[str]:
    """Write a note per figure that other software drew: its pixels may differ, and don't count."""
    for name in sorted(drawn.keys() & found.keys()):
        software = other_software(drawn[name], found[name])
        if software is not None:
            yield f"{folder}/{name}: pixels not compared: drawn by {software}"
