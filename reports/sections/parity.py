"""The parity checks, with measured value, tolerance and margin."""

from collections.abc import Collection, Iterator, Sequence

from reports.results.parity import RUNGS, CheckedRung, gate, list_rungs, margin, remedies
from reports.results.report import Report
from reports.text import comma_list, escape, table

HEADERS = ["check", "precision", "tolerance", "worst measured", "margin", "passed"]


def section(report: Report) -> Iterator[str]:
    """Yield each check's tolerance, its worst measured value, and how many cells passed it."""
    rungs = list_rungs(report.cells)
    yield "## Parity checks"
    if not rungs:
        yield "No record holds a parity check: nothing was checked."
        return
    names = {check.rung.rung for check in rungs}
    yield table(HEADERS, worst_rows(rungs), "worst measured, margin, passed")
    yield " ".join(legend(rungs, names))
    if changed := sorted(remedies(report.cells)):
        yield f"Changed, so that all is computed in float64: {escape('; '.join(changed))}."
    yield from unchecked_rungs(rungs, names)


def unchecked_rungs(rungs: Sequence[CheckedRung], names: Collection[str]) -> Iterator[str]:
    """Yield the rungs that were not checked; nothing if all were."""
    if "gradient" not in names:
        missing = comma_list(name for name in RUNGS[3:10] if name not in names)
        yield (
            f"This run's records hold no check {missing}. What those would show, that the "
            "frameworks compute the same in a step, is not shown by this report."
        )
    elif all(check.precision == "float32" for check in rungs):
        yield "This profile leaves the checks in float64 out."


def legend(rungs: Sequence[CheckedRung], names: Collection[str]) -> Iterator[str]:
    """Yield the sentences that explain the table, only for what it contains."""
    yield "Over every trial."
    if any(check.certified for check in rungs):
        yield (
            "Parity trials make all checks, timing and accuracy trials a few of them once more. A "
            "configuration stops at the first check that it fails, and is then neither timed nor "
            "trained."
        )
    yield (
        "Measured: the difference from the NumPy reference in float64; if the tolerance is exact, "
        "how many values differ. Margin: how many times it fits into the tolerance. Passed: of the "
        "configurations that came to the check."
    )
    gates = {(check.place, check.rung.gate) for check in rungs}
    if len(gates) > len({check.place for check in rungs}):
        yield "A check with two tolerances has one for each optimizer."
    if "dropout share" in names:
        yield "Dropout share and masks are measured in standard errors."


def worst_rows(rungs: Sequence[CheckedRung]) -> list[list[str]]:
    """Return a row per rung, precision and gate, in the order of checking."""
    # a rung whose gate depends on the optimizer has a row per gate
    groups: dict[tuple[tuple[int, str, str], float], list[CheckedRung]] = {}
    for check in rungs:
        groups.setdefault((check.place, check.rung.gate), []).append(check)
    return [worst_row(groups[key]) for key in sorted(groups)]


def worst_row(group: Sequence[CheckedRung]) -> list[str]:
    cells = {check.cell.cell.label for check in group}
    failed = {check.cell.cell.label for check in group if not check.rung.passed}
    worst = max(
        group,
        key=lambda check: (not check.rung.passed, check.rung.measured / (check.rung.gate or 1)),
    )
    return [
        escape(worst.rung.rung),
        escape(worst.precision),
        gate(worst.rung),
        f"{worst.rung.measured:.2g}",
        margin(worst.rung),
        f"{len(cells) - len(failed)} of {len(cells)}",
    ]
