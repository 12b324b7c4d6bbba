"""What was certified: each rung's measured value, its gate and the margin between them."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from xml.etree import ElementTree

from tabulate import tabulate

from bench.record import Record, RungModel
from reports.cells import CellResults
from reports.text import NOTHING, escape, listed, printable, table

# The order in which they are climbed; a rung that is not here comes last.
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
class Climbed:
    """One rung of one record. `precision` is that of the process which climbed it."""

    cell: CellResults
    certified: bool
    precision: str
    rung: RungModel

    @property
    def place(self) -> tuple[int, str, str]:
        return rung_place(self.rung.rung), self.rung.rung, self.precision


def rung_place(name: str) -> int:
    return RUNGS.index(name) if name in RUNGS else len(RUNGS)


def climbed(cells: Iterable[CellResults], *, kinds: Sequence[str] = ()) -> list[Climbed]:
    """All rungs of all records, or of trials of these kinds, in the order of climbing."""
    found = [
        Climbed(
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
    return sorted(found, key=lambda one: one.place)


def precision_of(record: Record) -> str:
    plan = record.trial.parity
    return record.trial.execution.precision if plan is None else plan.precision


def margin(rung: RungModel) -> str:
    """How many times the measured value fits into the gate."""
    if not rung.passed:
        return "failed"
    if rung.measured == 0:
        return "exact" if rung.gate == 0 else "equal"
    times = rung.gate / rung.measured
    return f"{times:.1f}x" if times < 10 else f"{times:,.0f}x"


def gate(rung: RungModel) -> str:
    return f"{rung.gate:.3g}" if rung.gate else "exact"


def section(cells: Sequence[CellResults]) -> list[str]:
    """Each rung's gate, the worst that was measured and where, and in how many cells it held."""
    found = climbed(cells)
    blocks = ["## Parity rungs checked"]
    if not found:
        return [*blocks, "No record holds a parity rung: nothing was checked."]
    # a rung whose gate depends on the optimizer has a row for each gate
    groups: dict[tuple[tuple[int, str, str], float], list[Climbed]] = {}
    for one in found:
        groups.setdefault((one.place, one.rung.gate), []).append(one)
    headers = ["rung", "precision", "gate", "worst measured", "margin", "cells passed"]
    rows = [worst_row(groups[key]) for key in sorted(groups)]
    blocks.append(table(headers, rows, "worst measured, margin, cells passed"))
    names = {one.rung.rung for one in found}
    blocks.append(" ".join(explained(found, names)))
    if changed := sorted(remedies(cells)):
        blocks.append(f"Changed, so that all is computed in float64: {escape('; '.join(changed))}.")
    # what was not checked is said as plainly as what was
    if "gradient" not in names:
        absent = listed(name for name in RUNGS[3:10] if name not in names)
        blocks.append(
            f"This run's records hold no rung {absent}. What those rungs would show, that the "
            "backends compute the same in a step, is not shown by this report."
        )
    elif all(one.precision == "float32" for one in found):
        blocks.append("This profile leaves the rungs in float64 out.")
    return blocks


def explained(found: Sequence[Climbed], names: Collection[str]) -> Iterator[str]:
    """How the table is read; nothing of what is not in it."""
    yield "Over every trial."
    if any(one.certified for one in found):
        yield (
            "Parity trials climb all rungs, timing and accuracy trials a few of them once more. A "
            "cell stops at the first rung that it fails, and is then neither timed nor trained."
        )
    yield (
        "Measured: the difference from the oracle, the workload in NumPy float64; where the gate "
        "is exact, how many values differ. Margin: how many times it fits into the gate. Cells "
        "passed: of those that came to the rung."
    )
    if len({(one.place, one.rung.gate) for one in found}) > len({one.place for one in found}):
        yield "A rung with two gates has one for each optimizer."
    if "dropout share" in names:
        yield "Dropout share and masks are measured in standard errors."


def worst_row(group: Sequence[Climbed]) -> list[str]:
    cells = {one.cell.cell.label for one in group}
    failed = {one.cell.cell.label for one in group if not one.rung.passed}
    worst = max(
        group, key=lambda one: (not one.rung.passed, one.rung.measured / (one.rung.gate or 1))
    )
    return [
        escape(worst.rung.rung),
        escape(worst.precision),
        gate(worst.rung),
        f"{worst.rung.measured:.2g}",
        margin(worst.rung),
        f"{len(cells) - len(failed)} of {len(cells)}",
    ]


def certificates(cells: Sequence[CellResults]) -> Iterator[tuple[str, list[str], list[list[str]]]]:
    """For each workload a title, headers and rows: a rung a row, two columns a cell."""
    for name in dict.fromkeys(results.cell.workload for results in cells):
        own = [results for results in cells if results.cell.workload == name]
        found = climbed(own, kinds=("parity",))
        headers = ["rung", "precision", "gate"]
        for results in own:
            headers += [results.name, "margin"]
        rows = []
        for place in dict.fromkeys(one.place for one in found):
            here = {one.cell.cell: one.rung for one in found if one.place == place}
            row = [place[1], place[2], listed(dict.fromkeys(map(gate, here.values())))]
            for results in own:
                rung = here.get(results.cell)
                row += [NOTHING] * 2 if rung is None else [f"{rung.measured:.2g}", margin(rung)]
            rows.append(row)
        yield name, headers, rows


def failures(cells: Iterable[CellResults]) -> list[str]:
    """One line for each parity trial that is not ok."""
    return [
        f"{results.cell.workload} in {results.name}, {precision_of(record)}: {record.status}: "
        f"{printable(record.reason)}"
        for results in cells
        for record in results.records
        if record.trial.kind == "parity" and record.status != "ok"
    ]


def software(cells: Iterable[CellResults]) -> list[str]:
    """What was certified: the versions of each backend, and what made its float64 exact."""
    cells = list(cells)
    versions = {
        f"{results.cell.backend}: "
        + ", ".join(f"{name} {version}" for name, version in record.environment.versions.items())
        for results in cells
        for record in results.records
    }
    return sorted({*versions, *remedies(cells)})


def remedies(cells: Iterable[CellResults]) -> set[str]:
    """What backends need so that they compute in float64 throughout."""
    return {
        f"{results.cell.backend} in {precision_of(record)}: {found}"
        for results in cells
        for record in results.records
        if record.settings is not None and (found := record.settings.effective.get("remedies"))
    }


def verdict(cells: Sequence[CellResults]) -> str:
    """Yes or no in one line."""
    records = [one for results in cells for one in results.records if one.trial.kind == "parity"]
    good = sum(record.status == "ok" for record in records)
    planned = sum(trial.kind == "parity" for results in cells for trial in results.planned)
    said = "Parity holds" if good == planned and planned else "Parity is not shown"
    return f"{said}: {good} of {planned} certificates."


def as_markdown(cells: Sequence[CellResults]) -> str:
    """Verdict, failures and tables, for a summary in CI."""
    blocks = ["## Parity", verdict(cells)]
    blocks += [f"- {escape(line)}" for line in failures(cells)]
    for name, headers, rows in certificates(cells):
        escaped = [[escape(cell) for cell in row] for row in rows]
        titles = [escape(header) for header in headers]
        blocks += [f"### {escape(name)}", table(titles, escaped, ",".join(titles[2:]))]
    blocks.append("\n".join(f"- {escape(line)}" for line in software(cells)))
    return "\n\n".join(blocks) + "\n"


def as_text(cells: Sequence[CellResults]) -> str:
    """The same for a terminal, the verdict last."""
    blocks = [
        f"{name}\n{tabulate(rows, headers, 'simple', disable_numparse=True)}"
        for name, headers, rows in certificates(cells)
    ]
    return "\n\n".join([*blocks, "\n".join(software(cells)), *failures(cells), verdict(cells)])


def as_json(cells: Sequence[CellResults]) -> list[dict[str, object]]:
    """One entry a certificate."""
    return [
        {
            "workload": results.cell.workload,
            "backend": results.cell.backend,
            "device": results.cell.execution.device,
            "precision": precision_of(record),
            "status": record.status,
            "reason": record.reason,
            "versions": record.environment.versions,
            "rungs": [rung.model_dump() for rung in record.parity.rungs] if record.parity else [],
            "certificate_sha256": record.sha256,
        }
        for results in cells
        for record in results.records
        if record.trial.kind == "parity"
    ]


def as_junit(cells: Sequence[CellResults]) -> bytes:
    """JUnit XML: a suite a certificate, a case a rung; how a trial ended where it has no rung."""
    root = ElementTree.Element("testsuites", name="samestep parity")
    for results in cells:
        for record in results.records:
            if record.trial.kind == "parity":
                root.append(suite(results, record))
    ElementTree.indent(root)
    return bytes(ElementTree.tostring(root, encoding="utf-8", xml_declaration=True))


def suite(results: CellResults, record: Record) -> ElementTree.Element:
    name = f"{results.cell.workload}.{results.name}.{precision_of(record)}"
    rungs = record.parity.rungs if record.parity is not None else []
    failed = [rung for rung in rungs if not rung.passed]
    element = ElementTree.Element("testsuite", name=name)
    for rung in rungs:
        case = ElementTree.SubElement(
            element, "testcase", classname=name, name=printable(rung.rung)
        )
        if not rung.passed:
            message = f"measured {rung.measured:.3g}, gate {rung.gate:.3g}: {printable(rung.where)}"
            ElementTree.SubElement(case, "failure", message=message)
    ended_otherwise = record.status != "ok" and not failed
    if ended_otherwise:
        case = ElementTree.SubElement(element, "testcase", classname=name, name="trial")
        ElementTree.SubElement(
            case, "error", message=printable(f"{record.status}: {record.reason}")
        )
    counts = {"tests": len(element), "failures": len(failed), "errors": int(ended_otherwise)}
    for key, count in counts.items():
        element.set(key, str(count))
    return element
