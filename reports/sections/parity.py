"""What was certified: each rung's measured value, its gate and the margin between them."""

from collections.abc import Collection, Iterator, Sequence

from reports.results.cells import CellResults
from reports.results.parity import RUNGS, Climbed, climbed, gate, margin, remedies
from reports.text import escape, listed, table


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
