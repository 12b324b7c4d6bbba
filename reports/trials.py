"""Which records stand for a cell: one a round, and of those the ones that may be ranked."""

from collections.abc import Iterable, Sequence

from bench.contention import DISTURBED
from bench.record import Record

UNSTEADY = "no_steady_state"


def disturbed(record: Record) -> bool:
    """Whether something else used the machine while this trial was timed."""
    return not set(DISTURBED).isdisjoint(record.flags)


def unsteady(record: Record) -> bool:
    """Whether the time per step was still changing when the warm-up ended."""
    return UNSTEADY in record.flags


def ranked(records: Iterable[Record]) -> list[Record]:
    """One record for each round, in order: its first undisturbed attempt, else its last one."""
    attempts: dict[int, list[Record]] = {}
    for record in sorted(records, key=lambda one: one.trial.attempt):
        if record.trial.round is not None:
            attempts.setdefault(record.trial.round, []).append(record)
    return [chosen(attempts[turn]) for turn in sorted(attempts)]


def chosen(attempts: Sequence[Record]) -> Record:
    return next((one for one in attempts if not disturbed(one)), attempts[-1])


def comparable(records: Iterable[Record]) -> list[Record]:
    """The ranked records without those that never were steady: shown, but not compared."""
    return [record for record in ranked(records) if not unsteady(record)]
