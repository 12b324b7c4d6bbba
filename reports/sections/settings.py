"""The settings in force, read back inside the trials."""

from collections.abc import Iterable, Sequence

from bench.record import Record
from reports.results.cells import CellResults
from reports.results.parity import precision_of
from reports.results.settings import variables
from reports.text import NOTHING, escape, table

# What is requested and what is in force have these names and values in common. `mode="default"`
# and `optimizer="matched"` are answered in the framework's own words instead.
SAME_WORDS = ("device", "precision", "threads", "batch_size")


def settings(cells: Sequence[CellResults]) -> list[str]:
    """What the trials say was really in force, a table for each device."""
    blocks = [
        "## Settings in force",
        "Read back inside the trials. Where a backend's value differs between workloads, all "
        "values are listed with the number of workloads that have them.",
    ]
    for device in dict.fromkeys(results.device for results in cells):
        blocks += settings_of(device, [one for one in cells if one.device == device])
    return blocks + unmet(cells)


def settings_of(device: str, cells: Sequence[CellResults]) -> list[str]:
    names = sorted({results.cell.backend for results in cells})
    columns = {name: in_force(one for one in cells if one.cell.backend == name) for name in names}
    keys = sorted({key for column in columns.values() for key in column})
    if not keys:
        return []
    rows = [[escape(key), *(values(columns[name].get(key, {})) for name in names)] for key in keys]
    headers = ["setting", *map(escape, names)]
    return [f"### On {escape(device)}", table(headers, rows)]


def in_force(cells: Iterable[CellResults]) -> dict[str, dict[str, set[str]]]:
    """Setting to value to the workloads that have it; environment variables among the settings."""
    found: dict[str, dict[str, set[str]]] = {}
    for results in cells:
        for record in in_own_precision(results):
            effective = record.settings.effective if record.settings is not None else {}
            for key, value in {**variables(record), **effective}.items():
                workloads_with = found.setdefault(key, {}).setdefault(str(value), set())
                workloads_with.add(results.cell.workload)
    return found


def in_own_precision(results: CellResults) -> list[Record]:
    """All but certificates in another precision, float64 most often: that was asked for there."""
    return [
        record
        for record in results.records
        if precision_of(record) == results.cell.execution.precision
    ]


def values(found: dict[str, set[str]]) -> str:
    if len(found) < 2:
        return escape(next(iter(found), NOTHING))
    return "; ".join(f"{escape(value)} ({len(found[value])})" for value in sorted(found))


def unmet(cells: Sequence[CellResults]) -> list[str]:
    """Settings that were requested under a name that is in force with another value."""
    rows = sorted(
        {
            (escape(results.name), escape(key), escape(wanted), escape(effective[key]))
            for results in cells
            for record in in_own_precision(results)
            if record.settings is not None
            for effective in [record.settings.effective]
            for key, wanted in record.settings.requested.items()
            if key in SAME_WORDS and wanted is not None and effective.get(key, wanted) != wanted
        }
    )
    if not rows:
        return []
    headers = ["cell", "setting", "requested", "in force"]
    return ["Requested, but another value is in force:", table(headers, rows)]
