"""Which records stand for a cell: one a round, and of those the ones that may be ranked."""

from collections.abc import Callable, Iterable
from typing import TypeAlias

from bench.record import Record
from bench.record.flags import DISTURBED

UNSTEADY = "no_steady_state"
Quantity: TypeAlias = Callable[[Record], float | None]


def disturbed(record: Record) -> bool:
    """Whether something else used the machine while this trial was timed."""
    return not set(DISTURBED).isdisjoint(record.flags)


def unsteady(record: Record) -> bool:
    """Whether the time per step was still changing when the warm-up ended."""
    return UNSTEADY in record.flags


def ranked(records: Iterable[Record]) -> list[Record]:
    """One record for each round, in order: that of its last attempt.

    What took turns with a disturbed trial was repeated with it, so that partners stay together.
    """
    last: dict[int, Record] = {}
    for record in sorted(records, key=lambda one: one.trial.attempt):
        if record.trial.round is not None:
            last[record.trial.round] = record
    return [last[turn] for turn in sorted(last)]


def by_round(records: Iterable[Record], quantity: Quantity) -> dict[int, float]:
    """The quantity of each record that has it, by its round."""
    return {
        record.trial.round: value
        for record in records
        if record.trial.round is not None and (value := quantity(record)) is not None
    }


def comparable(records: Iterable[Record]) -> list[Record]:
    """The ranked records without those that never were steady: shown, but not compared."""
    return [record for record in ranked(records) if not unsteady(record)]
