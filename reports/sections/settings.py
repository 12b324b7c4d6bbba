"""The actual settings, read back inside the trials."""

from collections.abc import Iterable, Iterator, Sequence

from bench.record import Record
from reports.results.cells import CellResults
from reports.results.names import framework
from reports.results.parity import precision_of
from reports.results.report import Report
from reports.results.settings import variables
from reports.text import NOTHING, escape, table

# requested settings that a backend reads back under the same name and with the same values; it
# answers `mode="default"` and `optimizer="matched"` with the framework's own settings
SAME_WORDS = ("device", "precision", "threads", "batch_size")


def section(report: Report) -> Iterator[str]:
    """Yield the actual settings, a table per device."""
    cells = report.cells
    yield "## Actual settings"
    yield (
        "Read back inside the trials. If a framework's value differs between networks, all values "
        "are listed with the number of networks that have them."
    )
    for device in dict.fromkeys(results.device for results in cells):
        yield from device_settings(
            device, [results for results in cells if results.device == device]
        )
    yield from unmet_requests(cells)


def device_settings(device: str, cells: Sequence[CellResults]) -> Iterator[str]:
    """Yield the settings on a device: a row per setting, a column per backend."""
    names = sorted({results.cell.backend for results in cells})
    columns = {
        name: workloads_by_setting(results for results in cells if results.cell.backend == name)
        for name in names
    }
    keys = sorted({key for column in columns.values() for key in column})
    if not keys:
        return
    rows = [[escape(key), *(values(columns[name].get(key, {})) for name in names)] for key in keys]
    headers = ["setting", *(escape(framework(name)) for name in names)]
    yield f"### On {escape(device)}"
    yield table(headers, rows)


def workloads_by_setting(cells: Iterable[CellResults]) -> dict[str, dict[str, set[str]]]:
    """Return the workloads by setting and value; environment variables count as settings."""
    by_setting: dict[str, dict[str, set[str]]] = {}
    for results in cells:
        for record in own_precision_records(results):
            effective = record.settings.effective if record.settings is not None else {}
            for key, value in {**variables(record), **effective}.items():
                workloads_with = by_setting.setdefault(key, {}).setdefault(str(value), set())
                workloads_with.add(results.cell.workload)
    return by_setting


def own_precision_records(results: CellResults) -> list[Record]:
    """Return the records in the cell's own precision; a certificate may be in another."""
    return [
        record
        for record in results.records
        if precision_of(record) == results.cell.execution.precision
    ]


def values(by_value: dict[str, set[str]]) -> str:
    """Return the value of a setting, or all its values with their numbers of workloads."""
    if len(by_value) < 2:
        return escape(next(iter(by_value), NOTHING))
    return "; ".join(f"{escape(value)} ({len(by_value[value])})" for value in sorted(by_value))


def unmet_requests(cells: Sequence[CellResults]) -> Iterator[str]:
    """Yield the requested settings with another actual value; nothing if all agree."""
    rows = sorted(
        {
            (escape(results.title), escape(key), escape(wanted), escape(effective[key]))
            for results in cells
            for record in own_precision_records(results)
            if record.settings is not None
            for effective in [record.settings.effective]
            for key, wanted in record.settings.requested.items()
            if key in SAME_WORDS and wanted is not None and effective.get(key, wanted) != wanted
        }
    )
    if rows:
        yield "Requested, but the actual value is another one:"
        yield table(["configuration", "setting", "requested", "actual"], rows)
