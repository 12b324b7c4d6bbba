"""The rows of the matrix, and the results of their tries."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias


@dataclass(frozen=True, slots=True, kw_only=True)
class Try:
    """One fault that a test caused. `wrong` says what broke a promise; None if all were kept.

    `lost` counts finished records that are missing or damaged afterwards, `orphans` counts
    processes and temporary files that are left; None if the fault does not concern them. `seconds`
    is the time from the fault to the recovery.
    """

    wrong: str | None = None
    lost: int | None = None
    orphans: int | None = None
    seconds: float | None = None

    @property
    def passed(self) -> bool:
        return self.wrong is None and not self.lost and not self.orphans


# a function for the tries of a row: a share of all tries, at least one of each kind. The folder is
# empty at first, and no other row uses it
Tries: TypeAlias = Callable[[float, Path], Iterator[Try]]
# the same with real frameworks, by the interpreter of each backend
RealTries: TypeAlias = Callable[[float, Path, Mapping[str, str]], Iterator[Try]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A fault of the matrix: its number, its name in the table, and its tries."""

    number: int
    fault: str
    tries: Tries
    real: RealTries | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """The results of the tries of a row."""

    number: int
    fault: str
    tries: int
    passed: int
    lost: int | None
    orphans: int | None
    longest_seconds: float | None
    wrong: tuple[str, ...]


def tally_tries(row: Row, tries: Iterable[Try]) -> Tally:
    done = list(tries)
    return Tally(
        number=row.number,
        fault=row.fault,
        tries=len(done),
        passed=sum(attempt.passed for attempt in done),
        lost=total(attempt.lost for attempt in done),
        orphans=total(attempt.orphans for attempt in done),
        longest_seconds=max(
            (attempt.seconds for attempt in done if attempt.seconds is not None), default=None
        ),
        wrong=tuple(attempt.wrong for attempt in done if attempt.wrong is not None),
    )


def total(counts: Iterable[int | None]) -> int | None:
    """Return the sum of the counts that are known; None if no count is known."""
    known = [count for count in counts if count is not None]
    return sum(known) if known else None


def share_of(count: int, share: float) -> int:
    """Return a share of a number of tries, at least 1."""
    return max(1, round(count * share))
