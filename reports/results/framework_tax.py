"""The layers of a step: what a framework adds to the arithmetic."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench.record.quantities import latency_mean_seconds, native_seconds, step_seconds
from bench.record.selection import by_round
from bench.stats import Estimate, cell_value
from reports.results.cells import CellResults
from reports.results.utilization import Limit

MICRO = 1e-6


@dataclass(frozen=True, kw_only=True)
class Tax:
    """A cell in its default mode, in seconds per step; None for a layer that the run lacks.

    `floor` is the arithmetic of a step at the rate of the calibrated large product, `epoch` the
    step of the same backend's program of many steps. `dispatch` lies between that and the step,
    `loop` between the step and the framework's own loop, `looking` between the step and a step that
    is waited for: medians of differences within rounds.
    """

    results: CellResults
    floor: float | None
    epoch: Estimate | None
    dispatch: Estimate | None
    loop: Estimate | None
    looking: Estimate | None

    @property
    def steps(self) -> dict[str, Estimate | None]:
        """Return the seconds per step by layer, from the inside out."""
        speed = self.results.speed
        if speed is None:
            return {}
        return {
            "one program": self.epoch,
            "step": speed.step_seconds,
            "native": speed.native_seconds,
            "latency": speed.latency_seconds,
        }


def taxes(cells: Sequence[CellResults], limits: Sequence[Limit]) -> list[Tax]:
    """Return the layers of each cell that was timed in its default mode."""
    by_cell = {results.cell: results for results in cells}
    floors = {
        one.results.cell: one.work.operations / one.roof.operations_per_second for one in limits
    }
    return [
        tax(results, by_cell.get(results.cell.but(mode="epoch")), floors.get(results.cell))
        for results in cells
        if results.cell.execution.mode == "default" and results.speed is not None
    ]


def tax(results: CellResults, program: CellResults | None, floor: float | None) -> Tax:
    """Return the layers of one cell; `program` is its twin in the mode `epoch`."""
    inner = [] if program is None else program.ranked
    epoch = program.speed.step_seconds if program is not None and program.speed else None
    step = by_round(results.ranked, step_seconds)
    return Tax(
        results=results,
        floor=floor,
        epoch=epoch,
        dispatch=between(by_round(inner, step_seconds), step),
        loop=between(step, by_round(results.ranked, native_seconds)),
        looking=between(step, by_round(results.ranked, latency_mean_seconds)),
    )


def between(inner: Mapping[int, float], outer: Mapping[int, float]) -> Estimate | None:
    """Return the median difference over the rounds that both have."""
    return cell_value([outer[turn] - inner[turn] for turn in sorted(inner.keys() & outer.keys())])
