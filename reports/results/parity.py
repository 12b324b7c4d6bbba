"""The parity rungs of all records, in the order in which they are checked."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from bench.record import Record, RungModel
from reports.results.cells import CellResults
from reports.text import NOTHING, comma_list, one_line

# in the order in which they are checked; a rung that is not here comes last
RUNGS = (
    "data",
    "parameters",
    "initial",
    "forward",
    "gradient",
    "update",
    "fit",
    "fit loss",
    "trajectory",
    "tanh trajectory",
    "dropout share",
    "dropout scale",
    "dropout masks",
)


@dataclass(frozen=True, kw_only=True)
class CheckedRung:
    """A rung of a record; `precision` is that of the process that checked it."""

    cell: CellResults
    certified: bool
    precision: str
    rung: RungModel

    @property
    def place(self) -> tuple[int, str, str]:
        return rung_place(self.rung.rung), self.rung.rung, self.precision


def rung_place(name: str) -> int:
    """Return the place of a rung in `RUNGS`; an unknown rung comes last."""
    return RUNGS.index(name) if name in RUNGS else len(RUNGS)


def list_rungs(cells: Iterable[CellResults], *, kinds: Sequence[str] = ()) -> list[CheckedRung]:
    """List the rungs of all records, or of trials of these kinds, in the order of `RUNGS`."""
    rungs = [
        CheckedRung(
            cell=results,
            certified=record.trial.kind == "parity",
            precision=precision_of(record),
            rung=rung,
        )
        for results in cells
        for record in results.records
        if record.parity is not None and (not kinds or record.trial.kind in kinds)
        for rung in record.parity.rungs
    ]
    return sorted(rungs, key=lambda check: check.place)


def precision_of(record: Record) -> str:
    """Return the precision of the trial's process; a parity trial has its own."""
    plan = record.trial.parity
    return record.trial.execution.precision if plan is None else plan.precision


def margin(rung: RungModel) -> str:
    """Return the gate over the measured value, or a word if the ratio says nothing."""
    if not rung.passed:
        return "failed"
    if rung.measured == 0:
        return "exact" if rung.gate == 0 else "equal"
    times = rung.gate / rung.measured
    return f"{times:.1f}x" if times < 10 else f"{times:,.0f}x"


def gate(rung: RungModel) -> str:
    """Return the gate, or `exact` if no difference is allowed."""
    return f"{rung.gate:.3g}" if rung.gate else "exact"


def certificates(cells: Sequence[CellResults]) -> Iterator[tuple[str, list[str], list[list[str]]]]:
    """Yield a title, headers and rows per workload: one row per rung, two columns per cell."""
    for name in dict.fromkeys(results.cell.workload for results in cells):
        own = [results for results in cells if results.cell.workload == name]
        rungs = list_rungs(own, kinds=("parity",))
        headers = ["rung", "precision", "gate"]
        for results in own:
            headers += [results.name, "margin"]
        rows = []
        for place in dict.fromkeys(check.place for check in rungs):
            by_cell = {check.cell.cell: check.rung for check in rungs if check.place == place}
            row = [place[1], place[2], comma_list(dict.fromkeys(map(gate, by_cell.values())))]
            for results in own:
                rung = by_cell.get(results.cell)
                row += [NOTHING] * 2 if rung is None else [f"{rung.measured:.2g}", margin(rung)]
            rows.append(row)
        yield name, headers, rows


def failures(cells: Iterable[CellResults]) -> list[str]:
    """Return one line per parity trial that is not ok."""
    return [
        f"{results.cell.workload} in {results.name}, {precision_of(record)}: {record.status}: "
        f"{one_line(record.reason)}"
        for results in cells
        for record in results.records
        if record.trial.kind == "parity" and record.status != "ok"
    ]


def software(cells: Iterable[CellResults]) -> list[str]:
    """Return each backend's versions, and the remedies that made its float64 exact."""
    cells = list(cells)
    versions = {
        f"{results.cell.backend}: "
        + ", ".join(f"{name} {version}" for name, version in record.environment.versions.items())
        for results in cells
        for record in results.records
    }
    return sorted({*versions, *remedies(cells)})


def remedies(cells: Iterable[CellResults]) -> set[str]:
    """Return what backends need so that they compute in float64 throughout."""
    return {
        f"{results.cell.backend} in {precision_of(record)}: {remedy}"
        for results in cells
        for record in results.records
        if record.settings is not None and (remedy := record.settings.effective.get("remedies"))
    }


def verdict(cells: Sequence[CellResults]) -> str:
    """Return one line that says whether all planned certificates hold."""
    records = [
        record for results in cells for record in results.records if record.trial.kind == "parity"
    ]
    good = sum(record.status == "ok" for record in records)
    planned = sum(trial.kind == "parity" for results in cells for trial in results.planned_trials)
    result = "Parity holds" if good == planned and planned else "Parity is not shown"
    return f"{result}: {good} of {planned} certificates."
