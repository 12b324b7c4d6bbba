"""How a cell was measured: differences between two runs, and those that forbid a comparison."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias

from bench.record.run import RunModel
from bench.spec import TimingPlan
from bench.spec.pairing import shared_by
from reports.results.cells import CellResults
from reports.results.comparability import differences
from reports.results.settings import Values

# per name the set of its values in the good timing trials of a cell
Protocol: TypeAlias = Mapping[str, Values]

PLAN_FIELDS = (
    *("window_blocks", "blocks", "steps_per_block", "steps_per_call"),
    *("native_steps", "native_slices"),
)
# forbid a comparison: another network, or steps with cold caches, because they are timed directly
# after the turns of other processes
REFUSED = ("parameters", "run-up before each turn")
# a call of several steps divides its dispatch among them; the native lane has its own calls
REFUSED_IN: Mapping[str, Sequence[str]] = {"step": ("steps_per_call",), "native": ()}
# do not forbid a comparison: the same quantity, measured for longer or next to other work
FLAGGED = ("profile", "samestep", "lanes", "cells that take turns", "window_blocks")
FLAGGED_IN = {"step": ("blocks", "steps_per_block"), "native": ("native_steps", "native_slices")}
# A native time includes the loop's start-up. If that is a tenth of a slice, a slice with twice the
# steps has 5 % less time per step, which is the smallest effect that counts between two runs.
MOST_TIMES_THE_STEPS = 2


def protocol(run: RunModel, cells: Sequence[CellResults], results: CellResults) -> Protocol:
    """Return how `results`, a cell among the run's `cells`, was measured."""
    records = results.good_records("timing")
    plans = [record.trial.trial().timing for record in records]
    return {
        "profile": frozenset({run.profile}),
        "samestep": frozenset(record.environment.samestep for record in records),
        "cells that take turns": frozenset({count_turns(cells, results)}),
        **network_fields(results),
        **plan_fields([plan for plan in plans if plan is not None]),
    }


def count_turns(cells: Iterable[CellResults], results: CellResults) -> int:
    """Count the processes in memory together while the cell was timed; 1 on a GPU."""
    if results.cell.execution.device != "cpu":
        return 1
    group = shared_by(results.cell)
    return sum(bool(cell.good_records("timing")) for cell in cells if shared_by(cell.cell) == group)


def network_fields(results: CellResults) -> Protocol:
    """Return the number of parameters, if a record has it."""
    total = results.parameter_total
    return {} if total is None else {"parameters": frozenset({f"{total:,}"})}


def plan_fields(plans: Sequence[TimingPlan]) -> Protocol:
    """Return the fields of the timing plans that may differ between runs."""
    return {
        "lanes": frozenset({lanes(plans)}),
        "run-up before each turn": frozenset(plan.run_up_steps > 0 for plan in plans),
        **{name: frozenset(getattr(plan, name) for plan in plans) for name in PLAN_FIELDS},
    }


def lanes(plans: Sequence[TimingPlan]) -> str:
    """Join the names of a cell's lanes in any plan; some rounds do not have all its lanes."""
    timed = {
        "step": bool(plans),
        "latency": any(plan.latency_steps for plan in plans),
        "native": bool(plans),
        "tutorial": any(plan.tutorial_steps for plan in plans),
        "power": any(plan.power_seconds for plan in plans),
    }
    return " + ".join(lane for lane in timed if timed[lane])


def flagged(lane: str) -> list[str]:
    """Return the names whose differences do not forbid the comparison in a lane."""
    return [*FLAGGED, *FLAGGED_IN[lane]]


def refusals(first: Protocol, other: Protocol, lane: str) -> Iterator[str]:
    """Yield the differences that forbid the comparison, although each time is right."""
    yield from differences(first, other, [*REFUSED, *REFUSED_IN[lane]])


def refuse_slices(first: Protocol, other: Protocol) -> Iterator[str]:
    """Yield the native steps if one slice has too many times the steps of another."""
    if not are_similar(first["native_steps"], other["native_steps"]):
        yield from differences(first, other, ["native_steps"])


def are_similar(first: Values, other: Values) -> bool:
    """Return whether no slice has more than `MOST_TIMES_THE_STEPS` times the steps of another."""
    steps = [number for number in first | other if isinstance(number, int)]
    return not steps or max(steps) <= MOST_TIMES_THE_STEPS * min(steps)
