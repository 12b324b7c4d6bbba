"""How a cell was measured: what two runs did otherwise, and what forbids to compare their times."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias

from bench.record.run import RunModel
from bench.spec import TimingPlan
from bench.spec.pairing import shared_by
from reports.results.cells import CellResults
from reports.results.comparability import differing
from reports.text import listed

# name to value, over all good timing trials of a cell
Protocol: TypeAlias = Mapping[str, str]

FROM_THE_PLAN = (
    *("window_blocks", "blocks", "steps_per_block", "steps_per_call"),
    *("native_steps", "native_slices"),
)
# another network; the first steps after the others' turns, when caches are cold, timed or not
REFUSED = ("parameters", "run-up before each turn")
# a call of many steps shares its dispatch among them; the native lane has calls of its own
REFUSED_IN: Mapping[str, Sequence[str]] = {"step": ("steps_per_call",), "native": ()}
# the same quantity, looked at for longer or beside other work
FLAGGED = ("profile", "samestep", "lanes", "cells that take turns", "window_blocks")
FLAGGED_IN = {"step": ("blocks", "steps_per_block"), "native": ("native_steps", "native_slices")}
# the loop's start-up is a part of a native time: were it a tenth of a slice, twice the steps would
# move a step by the 5 % that count between two runs
MOST_TIMES_THE_STEPS = 2


def protocol(run: RunModel, cells: Sequence[CellResults], results: CellResults) -> Protocol:
    """What `results`, one of the run's `cells`, was measured with."""
    records = results.good("timing")
    plans = [one.trial.trial().timing for one in records]
    return {
        "profile": run.profile,
        "samestep": listed(sorted({one.environment.samestep for one in records})),
        "cells that take turns": str(taking_turns(cells, results)),
        **of_the_network(results),
        **of_the_plans([plan for plan in plans if plan is not None]),
    }


def taking_turns(cells: Iterable[CellResults], results: CellResults) -> int:
    """How many processes were in memory together while it was timed; on a GPU each is alone."""
    if results.cell.execution.device != "cpu":
        return 1
    group = shared_by(results.cell)
    return sum(bool(one.good("timing")) for one in cells if shared_by(one.cell) == group)


def of_the_network(results: CellResults) -> Protocol:
    total = results.parameter_total
    return {} if total is None else {"parameters": f"{total:,}"}


def of_the_plans(plans: Sequence[TimingPlan]) -> Protocol:
    return {
        # in some rounds only, but a cell has them or has them not
        "lanes": " + ".join(dict.fromkeys(lane for plan in plans for lane in lanes(plan))),
        "run-up before each turn": values(plan.run_up_steps > 0 for plan in plans),
        **{name: values(getattr(plan, name) for plan in plans) for name in FROM_THE_PLAN},
    }


def lanes(plan: TimingPlan) -> Iterator[str]:
    yield "step"
    if plan.latency_steps:
        yield "latency"
    yield "native"
    if plan.tutorial_steps:
        yield "tutorial"
    if plan.power_seconds:
        yield "power"


def values(found: Iterable[object]) -> str:
    return listed(dict.fromkeys(map(str, found)))


def notes(first: Protocol, other: Protocol, lane: str) -> Iterator[str]:
    """What differs and does not forbid the comparison: `blocks: 12, 6`."""
    yield from differing(first, other, [*FLAGGED, *FLAGGED_IN[lane]])


def refusals(first: Protocol, other: Protocol, lane: str) -> Iterator[str]:
    """Why these times may not be compared, though each is right."""
    yield from differing(first, other, [*REFUSED, *REFUSED_IN[lane]])
    if lane == "native" and not as_many_steps(first["native_steps"], other["native_steps"]):
        yield from differing(first, other, ["native_steps"])


def as_many_steps(first: str, other: str) -> bool:
    """Whether no slice of either has more than `MOST_TIMES_THE_STEPS` times those of another."""
    found = f"{first}, {other}".split(", ")
    steps = [int(number) for number in found if number.isdecimal()]
    return not steps or max(steps) <= MOST_TIMES_THE_STEPS * min(steps)
