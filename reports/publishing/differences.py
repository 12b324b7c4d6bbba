"""Differences between a run's file and its expected content: texts by line, figures by content."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import zip_longest

from reports.drawing.files import texts
from reports.drawing.png import DESCRIPTION, SOFTWARE

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
        """Return the file, and the place in it if there is one."""
        return f"{self.file}, {self.where}" if self.where else self.file


def text_differences(file: str, expected: str, actual: str | None) -> Iterator[Difference]:
    """Yield at most one difference, with the first lines that differ.

    `actual` is the file's text, or None if there is no such file.
    """
    if actual is None:
        yield Difference(file=file, where="", expected="a file", found=ABSENT)
    elif actual != expected:
        unequal = list(unequal_lines(expected.split("\n"), actual.split("\n")))
        excerpts = [excerpt(*pair) for _, *pair in unequal[:MOST_LINES]]
        yield Difference(
            file=file,
            where=f"line {unequal[0][0]}",
            expected="\n".join(pair[0] for pair in excerpts),
            found="\n".join(pair[1] for pair in excerpts),
        )


def unequal_lines(expected: Sequence[str], actual: Sequence[str]) -> Iterator[tuple[int, str, str]]:
    """Yield each line that differs: its number in `actual`, the expected line, the actual line.

    For a line that is only in one text, the other line is empty.
    """
    # By default SequenceMatcher first ignores frequent lines. Otherwise a hostile file of a million
    # equal lines would take hours. So a block that it calls unequal may hold equal pairs.
    for kind, start, end, other_start, other_end in SequenceMatcher(
        a=expected, b=actual
    ).get_opcodes():
        if kind != "equal":
            pairs = zip_longest(expected[start:end], actual[other_start:other_end])
            for number, (line, other) in enumerate(pairs, start=other_start + 1):
                if line != other:
                    yield number, line or "", other or ""


def excerpt(expected: str, actual: str) -> tuple[str, str]:
    """Cut both lines to the same range around the first character in which they differ."""
    same = zip(expected, actual, strict=False)
    end = min(len(expected), len(actual))
    first = next((place for place, (a, b) in enumerate(same) if a != b), end)
    start = max(0, first - BEFORE)
    return cut(expected, start), cut(actual, start)


def cut(line: str, start: int) -> str:
    """Cut a line to `BEFORE` + `AFTER` characters, with an ellipsis for each part left out."""
    end = start + BEFORE + AFTER
    return f"{'…' if start else ''}{line[start:end]}{'…' if len(line) > end else ''}"


def figure_differences(
    folder: str, drawn: Mapping[str, bytes], actual: Mapping[str, bytes]
) -> Iterator[Difference]:
    """Compare figures by file name: `drawn` from the records, and `actual` in the folder."""
    for name in sorted(drawn.keys() | actual.keys()):
        file = f"{folder}/{name}"
        if name not in actual:
            yield Difference(file=file, where="", expected="a figure", found=ABSENT)
        elif name not in drawn:
            yield Difference(file=file, where="", expected=ABSENT, found="a file")
        elif drawn[name] != actual[name]:
            yield from picture_differences(file, drawn[name], actual[name])


def picture_differences(file: str, drawn: bytes, actual: bytes) -> Iterator[Difference]:
    """Compare the descriptions in two pictures, then the bytes if the same software drew both."""
    expected, received = (texts(picture).get(DESCRIPTION, ABSENT) for picture in (drawn, actual))
    if expected != received:
        yield Difference(file=file, where=DESCRIPTION, expected=expected, found=received)
    elif other_software(drawn, actual) is None:
        yield Difference(
            file=file, where="picture", expected="as drawn from the records", found="another"
        )


def other_software(drawn: bytes, actual: bytes) -> str | None:
    """Return the software that drew `actual`, or None if it also drew `drawn`."""
    ours, theirs = (texts(picture).get(SOFTWARE) for picture in (drawn, actual))
    return None if ours == theirs else theirs or None


def software_notes(
    folder: str, drawn: Mapping[str, bytes], actual: Mapping[str, bytes]
) -> Iterator[str]:
    """Yield a note per figure that other software drew: its pixels are not compared."""
    for name in sorted(drawn.keys() & actual.keys()):
        software = other_software(drawn[name], actual[name])
        if software is not None:
            yield f"{folder}/{name}: pixels not compared: drawn by {software}"
