"""The settings that the trials of a cell read back."""

from collections.abc import Iterable
from typing import TypeAlias

from bench.record import Record
from reports.text import comma_list

# every value of one setting over the trials of a cell, each of its own type
Values: TypeAlias = frozenset[object]

ALL_CORES = "all cores"


def collect_settings(records: Iterable[Record]) -> dict[str, Values]:
    """Collect the values of each setting over these trials, by its name."""
    values: dict[str, Values] = {}
    for record in records:
        for name, value in {**variables(record), **effective_settings(record)}.items():
            values[name] = values.get(name, frozenset()) | {value}
    return values


def format_values(values: Values) -> str:
    """Format the values in one order, independent of the order of the trials: numbers first."""
    return comma_list(sorted(values, key=order))


def order(value: object) -> tuple[bool, float, str]:
    """Return the key by which a value is sorted; False and True are words here."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return False, value, ""
    return True, 0, str(value)


def effective_settings(record: Record) -> dict[str, object]:
    """Return the settings of one trial; `all cores` becomes the number of cores."""
    if record.settings is None:
        return {}
    cores = record.environment.cores
    return {
        name: cores if value == ALL_CORES else value
        for name, value in record.settings.effective.items()
    }


def variables(record: Record) -> dict[str, str]:
    """Return the environment variables of a framework, with names unlike those of settings."""
    environment = record.environment.variables if record.settings is not None else {}
    return {f"variable {name}": value for name, value in environment.items()}
