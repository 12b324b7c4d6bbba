"""The settings that the trials of a cell read back."""

from collections.abc import Iterable

from bench.record import Record
from reports.text import listed

ALL_CORES = "all cores"


def in_force(records: Iterable[Record]) -> dict[str, str]:
    """Setting to value over all these trials; several values in a list."""
    found: dict[str, dict[str, None]] = {}
    for record in records:
        for name, value in {**variables(record), **effective(record)}.items():
            found.setdefault(name, {})[str(value)] = None
    return {name: listed(values) for name, values in found.items()}


def effective(record: Record) -> dict[str, object]:
    """The settings of one trial; a number of threads that the framework left open in figures."""
    if record.settings is None:
        return {}
    cores = record.environment.cores
    return {
        name: cores if value == ALL_CORES else value
        for name, value in record.settings.effective.items()
    }


def variables(record: Record) -> dict[str, str]:
    """The environment variables that steer a framework, named apart from its own settings."""
    found = record.environment.variables if record.settings is not None else {}
    return {f"variable {name}": value for name, value in found.items()}
