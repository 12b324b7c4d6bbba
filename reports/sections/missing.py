"""What has no figures, and why."""

from collections import Counter
from collections.abc import Iterator, Sequence

from bench.record import Record
from bench.record.run import RunModel
from reports.results.cells import CellResults, backends
from reports.sections.columns import named
from reports.text import (
    NOTHING,
    escape,
    table,
)


def without_figures(run: RunModel, cells: Sequence[CellResults]) -> list[str]:
    """Every trial that left no figure, by cell and reason; and backends that never ran."""
    rows = [row for results in cells for row in problems(results)]
    # an unavailable backend with cells in the plan has its reason in their records already
    ran = set(backends(cells))
    rows += [
        ["all", escape(name), NOTHING, NOTHING, "unavailable", NOTHING, escape(found.unavailable)]
        for name, found in sorted(run.backends.items())
        if found.unavailable is not None and name not in ran
    ]
    headers = ["workload", "backend", "device", "trial", "status", "trials", "reason"]
    found = table(headers, rows, "trials") if rows else "None: every planned trial has its figures."
    return ["## Cells and trials without figures", found]


def problems(results: CellResults) -> Iterator[list[str]]:
    # hundreds of trials may fail alike: one row for each reason
    seen: Counter[tuple[str, str, str]] = Counter(
        (record.trial.kind, record.status, reason(record))
        for record in results.records
        if record.status != "ok"
    )
    seen.update((trial.kind, "no record", "the trial has not run") for trial in results.missing)
    where = named(results)
    for (kind, status, why), trials_with in sorted(seen.items()):
        yield [*where, kind, status, str(trials_with), why]
    if results.withheld:
        why = "parity failed in at least one trial: this cell's figures are not shown"
        yield [*where, "all", "withheld", str(len(results.records)), why]


def reason(record: Record) -> str:
    """The record's own reason, and for parity what diverged and where."""
    told = record.reason or NOTHING
    failed = [rung for rung in record.parity.rungs if not rung.passed] if record.parity else []
    # the worker's own reason names the rung already, with its figures
    rungs = [
        f"{escape(rung.rung)}: {rung.measured:.3g}, gate {rung.gate:.3g}"
        + (f", at {escape(rung.where)}" if rung.where else "")
        for rung in failed
        if not told.startswith(f"rung {rung.rung}: ")
    ]
    return "; ".join([escape(told), *rungs])


def flags_table(cells: Sequence[CellResults]) -> list[str]:
    """How many timing trials carry which flag."""
    rows = [
        [escape(results.cell.workload), escape(results.name), escape(flag), str(flagged)]
        for results in cells
        if results.speed is not None
        for flag, flagged in results.speed.flags.items()
    ]
    if not rows:
        return []
    headers = ["workload", "cell", "flag", "timing trials"]
    return ["Flagged trials are in the figures above:", table(headers, rows, "timing trials")]
