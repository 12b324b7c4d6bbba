"""The cost of compiling, with an empty and with a primed cache, and when it is repaid."""

from collections.abc import Iterator, Sequence

from bench.stats import Estimate
from reports.results.cells import CellResults
from reports.results.speed import Speed
from reports.results.workload import WorkloadResults
from reports.text import NOTHING, escape, estimate, number, table

COLD = ["configuration", "cold s"]
REPAID = ["primed s", "break even from cold (steps)", "break even from primed (steps)"]


def part(workload: WorkloadResults) -> Iterator[str]:
    """Yield a row per timed cell; other modes are compared with the cell's default mode."""
    rows = list(rows_of(workload.cells))
    if not rows:
        return
    # in the default mode no compiled code is kept for the next process
    has_other_modes = any(results.cell.execution.mode != "default" for results in workload.cells)
    headers = [*COLD, *(REPAID if has_other_modes else ())]
    yield (
        "Compiling: the first step less a steady one, and what further steps compiled again."
        + (f" {OTHER_MODES}" if has_other_modes else "")
    )
    yield table(headers, [row[: len(headers)] for row in rows], ",".join(headers[1:]))


OTHER_MODES = (
    "cold: with an empty cache of the compiler, or where there is none; primed: with what earlier "
    "processes have compiled. Break even: so many training steps repay it against the "
    "same framework in its default mode, whose own first step is counted."
)


def rows_of(cells: Sequence[CellResults]) -> Iterator[list[str]]:
    """Yield name, cold and primed seconds, and the steps that repay each, per timed cell."""
    speeds = {results.cell: results.speed for results in cells}
    for results in cells:
        speed, default = results.speed, speeds.get(results.cell.but(mode="default"))
        if speed is None:
            continue
        if results.cell.execution.mode == "default":
            default = None
        cold, primed = speed.cold_compile_seconds, speed.primed_compile_seconds
        repaid = [break_even(default, speed, compiling) for compiling in (cold, primed)]
        yield [escape(results.title), estimate(cold), estimate(primed), *repaid]


def break_even(default: Speed | None, other: Speed, compiling: Estimate | None) -> str:
    """Return how many steps repay `compiling`, the seconds that the mode `other` compiles.

    `never` if its step is not shorter than the default's; `at once` if it compiles faster.
    """
    if default is None or compiling is None:
        return NOTHING
    own, step, other_step = default.cold_compile_seconds, default.step_seconds, other.step_seconds
    if own is None or step is None or other_step is None:
        return NOTHING
    if other_step.value >= step.value:
        return "never"
    if compiling.value <= own.value:
        return "at once"
    return number((compiling.value - own.value) / (step.value - other_step.value))
