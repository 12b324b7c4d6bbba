"""Decide what runs next, and what joins a plan: repeats of disturbed trials, and more rounds.

Pure. Neither looks at which backend is ahead: repeats follow from causes, rounds from the width
of intervals alone, so that no measurement goes on until it favours a backend.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import takewhile

from bench.record import Record
from bench.record.quantities import native_seconds, step_seconds
from bench.record.selection import Quantity, comparable, disturbed
from bench.run.plan import draw_setup, shuffle
from bench.spec import Cell, Trial
from bench.spec.pairing import opponents, shared_by
from bench.stats import cell_value

WIDEST_INTERVAL = 0.02
# of a run's rounds; with fewer good ones there is little hope of enough
FEWEST_GOOD = 0.25
QUANTITIES: tuple[Quantity, ...] = (native_seconds, step_seconds)


def next_trials(pending: Sequence[Trial]) -> list[Trial]:
    """Return the trials at the head of `pending` that take turns: of one round and workload.

    On a GPU none do: frameworks take its memory when they start, and keep it.
    """
    first, *others = pending
    if first.timing is None or first.cell.execution.device != "cpu":
        return [first]
    return [first, *takewhile(lambda other: turn_of(other) == turn_of(first), others)]


def turn_of(trial: Trial) -> tuple[object, ...]:
    """Return what the trials that take turns have in common."""
    return trial.kind, trial.round, trial.attempt, *shared_by(trial.cell)


def repeats(
    planned: Sequence[Trial], records: Iterable[Record], most: int, order_seed: int
) -> list[Trial]:
    """Return repeats of all that took turns with a disturbed trial, at most `most` in a run."""
    room = most - sum(trial.attempt > 0 for trial in planned)
    known = {trial.name for trial in planned}
    groups: dict[tuple[object, ...], list[Record]] = {}
    for record in records:
        groups.setdefault(turn_of(record.trial.trial()), []).append(record)
    again: list[Trial] = []
    for group in groups.values():
        trials = [replace(record.trial.trial(), attempt=1) for record in group]
        new = all(trial.name not in known for trial in trials)
        if (
            new
            and any(record.status == "ok" and disturbed(record) for record in group)
            and len(again) + len(trials) <= room
        ):
            again += [draw_setup(trial, order_seed) for trial in trials]
    return again


def most_repeats(planned: Sequence[Trial]) -> int:
    """Return half the number of timing trials."""
    return sum(trial.timing is not None for trial in planned) // 2


def rounds(planned: Sequence[Trial]) -> int:
    """Return the number of rounds with timing trials."""
    return len({trial.round for trial in planned if trial.timing is not None})


def why_another(
    records: Mapping[Cell, Sequence[Record]], planned: int, *, most: int, steady: int
) -> str | None:
    """Return why a plan of `planned` rounds gets another round; None if it does not.

    `records` are the good timing records per cell.
    """
    short = short_of_rounds(records, planned, steady)
    if short:
        return f"{cell_subject(len(short))} short of {steady} good rounds"
    wide = too_wide(records)
    if wide and planned < most:
        return f"{cell_subject(len(wide))} not known to {100 * WIDEST_INTERVAL:g} %"
    return None


def short_of_rounds(
    records: Mapping[Cell, Sequence[Record]], planned: int, steady: int
) -> set[Cell]:
    """Return the cells that lack good rounds, by themselves or in common with a rival.

    Some cells are hardly ever steady: they get no more rounds.
    """
    good = {cell: {one.trial.round for one in comparable(own)} for cell, own in records.items()}
    groups: list[tuple[Cell, ...]] = [*((cell,) for cell in good), *opponents(good)]
    short: set[Cell] = set()
    for group in groups:
        common = set.intersection(*(good[cell] for cell in group))
        if FEWEST_GOOD * planned <= len(common) < steady:
            short |= set(group)
    return short


def cell_subject(cells: int) -> str:
    """Return `1 cell is` or `2 cells are`."""
    return "1 cell is" if cells == 1 else f"{cells} cells are"


def another_round(planned: Sequence[Trial], order_seed: int) -> list[Trial]:
    """Return a further round of the cells of the first, in an order drawn for it."""
    turn = rounds(planned)
    first = [trial for trial in planned if trial.round == 0 and trial.attempt == 0 and trial.timing]
    return [
        draw_setup(replace(trial, round=turn, seed=turn, position=position), order_seed)
        for position, trial in enumerate(shuffle(first, cell_of, order_seed, turn))
    ]


def cell_of(trial: Trial) -> Cell:
    return trial.cell


def too_wide(records: Mapping[Cell, Sequence[Record]]) -> list[Cell]:
    """Return the cells with an interval wider than 2 % of its value, or with none.

    The native and the step lane count.
    """
    return [
        cell
        for cell, found in records.items()
        if any(is_wide(values(quantity, found)) for quantity in QUANTITIES)
    ]


def values(quantity: Quantity, records: Iterable[Record]) -> list[float]:
    """Return the values of the records that have the quantity."""
    return [value for value in map(quantity, records) if value is not None]


def is_wide(seconds: Sequence[float]) -> bool:
    """Return whether the interval of these rounds is too wide."""
    value = cell_value(seconds)
    # without a figure no round will narrow it
    if value is None:
        return False
    if value.low is None or value.high is None:
        return True
    return value.high - value.low > WIDEST_INTERVAL * value.value
