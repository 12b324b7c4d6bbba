"""How a cell was measured: what differs between two runs, and what forbids to compare times."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias

from bench.record.run import RunModel
from bench.spec import TimingPlan
from bench.spec.pairing import shared_by
from reports.results.cells import CellResults
from reports.results.comparability import differing
from reports.results.settings import Values

# name to all its values over the good timing trials of a cell
Protocol: TypeAlias = Mapping[str, Values]

FROM_THE_PLAN = (
    *("window_blocks", "blocks", "steps_per_block", "steps_per_call"),
    *("native_steps", "native_slices"),
)
# another network; whether the first steps after the turns of others, with cold caches, are timed
REFUSED = ("parameters", "run-up before each turn")
# a call of several steps shares its dispatch among them; the native lane has calls of its own
REFUSED_IN: Mapping[str, Sequence[str]] = {"step": ("steps_per_call",), "native": ()}
# the same quantity, measured for longer or beside other work
FLAGGED = ("profile", "samestep", "lanes", "cells that take turns", "window_blocks")
FLAGGED_IN = {"step": ("blocks", "steps_per_block"), "native": ("native_steps", "native_slices")}
# the loop's start-up is a part of a native time: were it a tenth of a slice, twice the steps would
# move a step by the 5 % that count between two runs
MOST_TIMES_THE_STEPS = 2


def protocol(run: RunModel, cells: Sequence[CellResults], results: CellResults) -> Protocol:
    """Return what `results`, one of the run's `cells`, was measured with."""
    records = results.good("timing")
    plans = [record.trial.trial().timing for record in records]
    return {
        "profile": frozenset({run.profile}),
        "samestep": frozenset(record.environment.samestep for record in records),
        "cells that take turns": frozenset({turns(cells, results)}),
        **of_the_network(results),
        **of_the_plans([plan for plan in plans if plan is not None]),
    }


def turns(cells: Iterable[CellResults], results: CellResults) -> int:
    """Count the processes in memory together while the cell was timed; 1 on a GPU."""
    if results.cell.execution.device != "cpu":
        return 1
    group = shared_by(results.cell)
    return sum(bool(one.good("timing")) for one in cells if shared_by(one.cell) == group)


def of_the_network(results: CellResults) -> Protocol:
    total = results.parameter_total
    return {} if total is None else {"parameters": frozenset({f"{total:,}"})}


def of_the_plans(plans: Sequence[TimingPlan]) -> Protocol:
    return {
        "lanes": frozenset({lanes(plans)}),
        "run-up before each turn": frozenset(plan.run_up_steps > 0 for plan in plans),
        **{name: frozenset(getattr(plan, name) for plan in plans) for name in FROM_THE_PLAN},
    }


def lanes(plans: Sequence[TimingPlan]) -> str:
    """Join the lanes of a cell; some rounds lack some of its lanes, so all plans count."""
    timed = {
        "step": bool(plans),
        "latency": any(plan.latency_steps for plan in plans),
        "native": bool(plans),
        "tutorial": any(plan.tutorial_steps for plan in plans),
        "power": any(plan.power_seconds for plan in plans),
    }
    return " + ".join(lane for lane in timed if timed[lane])


def notes(first: Protocol, other: Protocol, lane: str) -> Iterator[str]:
    """List the differences that do not forbid the comparison: `blocks: 12, 6`."""
    yield from differing(first, other, [*FLAGGED, *FLAGGED_IN[lane]])


def refusals(first: Protocol, other: Protocol, lane: str) -> Iterator[str]:
    """List why these times may not be compared, though each is right."""
    yield from differing(first, other, [*REFUSED, *REFUSED_IN[lane]])
    if lane == "native" and not as_many_steps(first["native_steps"], other["native_steps"]):
        yield from differing(first, other, ["native_steps"])


def as_many_steps(first: Values, other: Values) -> bool:
    """Return whether no slice has more than `MOST_TIMES_THE_STEPS` times another's steps."""
    steps = [number for number in first | other if isinstance(number, int)]
    return not steps or max(steps) <= MOST_TIMES_THE_STEPS * min(steps)
