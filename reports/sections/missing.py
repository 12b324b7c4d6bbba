"""The cells and trials without figures, with the reasons."""

from collections import Counter
from collections.abc import Iterator

from bench.record import Record
from reports.results.cells import CellResults, backends
from reports.results.names import framework
from reports.results.report import Report
from reports.sections.columns import CELL_HEADERS, cell_names
from reports.text import NOTHING, escape, table

HEADERS = [*CELL_HEADERS, "trial", "status", "trials", "reason"]


def section(report: Report) -> Iterator[str]:
    """Yield a table with a row per cell and reason, and a row per backend that never ran."""
    rows = [row for results in report.cells for row in problems(results)]
    # if an unavailable backend has cells in the plan, their records hold its reason
    planned_backends = set(backends(report.cells))
    rows += [
        [
            "all",
            escape(framework(name)),
            NOTHING,
            NOTHING,
            "unavailable",
            NOTHING,
            escape(backend.unavailable),
        ]
        for name, backend in sorted(report.run.backends.items())
        if backend.unavailable is not None and name not in planned_backends
    ]
    yield "## Configurations and trials without figures"
    yield table(HEADERS, rows, "trials") if rows else "None: every planned trial has its figures."


def problems(results: CellResults) -> Iterator[list[str]]:
    """Yield a row per status and reason of the cell's trials without a figure."""
    # hundreds of trials may fail for the same reason, which gets a single row
    counts: Counter[tuple[str, str, str]] = Counter(
        (record.trial.kind, record.status, reason(record))
        for record in results.records
        if record.status != "ok"
    )
    counts.update(
        (trial.kind, "no record", "the trial has not run") for trial in results.missing_trials
    )
    names = cell_names(results)
    for (kind, status, why), trials in sorted(counts.items()):
        yield [*names, kind, status, str(trials), why]
    if results.is_withheld:
        why = "parity failed in at least one trial: its figures are not shown"
        yield [*names, "all", "withheld", str(len(results.records)), why]


def reason(record: Record) -> str:
    """Return the record's own reason, followed by the rungs that failed."""
    own = record.reason or NOTHING
    failed = [rung for rung in record.parity.rungs if not rung.passed] if record.parity else []
    # the worker's own reason may name the rung, with its figures
    rungs = [
        f"{escape(rung.rung)}: {rung.measured:.3g}, tolerance {rung.gate:.3g}"
        + (f", at {escape(rung.where)}" if rung.where else "")
        for rung in failed
        if not own.startswith(f"rung {rung.rung}: ")
    ]
    return "; ".join([escape(own), *rungs])
