"""Select the records that count for a cell: one per round, and of those the ones to compare."""

from collections.abc import Callable, Iterable
from typing import TypeAlias

from bench.record import Record
from bench.record.flags import DISTURBED

UNSTEADY = "no_steady_state"
Quantity: TypeAlias = Callable[[Record], float | None]


def disturbed(record: Record) -> bool:
    """Return whether a flag says that the trial was disturbed while it was timed."""
    return not set(DISTURBED).isdisjoint(record.flags)


def unsteady(record: Record) -> bool:
    """Return whether the time per step was still changing when the warm-up ended."""
    return UNSTEADY in record.flags


def ranked(records: Iterable[Record]) -> list[Record]:
    """Return one record per round, in order: that of the last attempt.

    Trials that took turns with a disturbed trial were repeated with it, so partners stay together.
    """
    last: dict[int, Record] = {}
    for record in sorted(records, key=lambda record: record.trial.attempt):
        if record.trial.round is not None:
            last[record.trial.round] = record
    return [last[turn] for turn in sorted(last)]


def by_round(records: Iterable[Record], quantity: Quantity) -> dict[int, float]:
    """Return the quantity of each record that has it, by its round."""
    return {
        record.trial.round: value
        for record in records
        if record.trial.round is not None and (value := quantity(record)) is not None
    }


def comparable(records: Iterable[Record]) -> list[Record]:
    """Return the ranked records without those that never became steady: shown, but not compared."""
    return [record for record in ranked(records) if not unsteady(record)]
