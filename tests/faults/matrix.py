"""What a row of the matrix is, and what its tries came to."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias


@dataclass(frozen=True, slots=True, kw_only=True)
class Try:
    """One fault that was made to happen. `wrong` says what was not as promised; None: all was.

    `lost` counts finished records that are gone or damaged afterwards, `orphans` processes and
    temporary files that are left; None where the fault has nothing to do with them.
    `seconds` are those from the fault until all was well again.
    """

    wrong: str | None = None
    lost: int | None = None
    orphans: int | None = None
    seconds: float | None = None

    @property
    def passed(self) -> bool:
        return self.wrong is None and not self.lost and not self.orphans


# the tries of a row: at `share` 1 all of them, at less so many, at least one of each kind. Nothing
# is left in the folder, which is empty and the row's own
Tries: TypeAlias = Callable[[float, Path], Iterator[Try]]
# the same with real frameworks, by the interpreter of each backend
RealTries: TypeAlias = Callable[[float, Path, Mapping[str, str]], Iterator[Try]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A fault of the matrix: its number, its name as the table has it, how it is tried."""

    number: int
    fault: str
    tries: Tries
    real: RealTries | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What the tries of a row came to."""

    number: int
    fault: str
    tries: int
    passed: int
    lost: int | None
    orphans: int | None
    longest_seconds: float | None
    wrong: tuple[str, ...]


def tally(row: Row, tries: Iterable[Try]) -> Tally:
    found = list(tries)
    return Tally(
        number=row.number,
        fault=row.fault,
        tries=len(found),
        passed=sum(one.passed for one in found),
        lost=total(one.lost for one in found),
        orphans=total(one.orphans for one in found),
        longest_seconds=max(
            (one.seconds for one in found if one.seconds is not None), default=None
        ),
        wrong=tuple(one.wrong for one in found if one.wrong is not None),
    )


def total(counts: Iterable[int | None]) -> int | None:
    """The sum of those that are known; None where none is."""
    known = [count for count in counts if count is not None]
    return sum(known) if known else None


def so_many(all_of_them: int, share: float) -> int:
    """How many of so many tries a share asks for; never none."""
    return max(1, round(all_of_them * share))
