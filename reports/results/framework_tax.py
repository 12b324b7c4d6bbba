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
    step of the same backend's program of many steps. The others are medians of differences within
    rounds: `dispatch` is the step minus `epoch`, `loop` the framework's own loop minus the step,
    `looking` a step that is waited for minus the step.
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
        limit.results.cell: limit.work.operations / limit.roof.operations_per_second
        for limit in limits
    }
    return [
        tax(results, by_cell.get(results.cell.but(mode="epoch")), floors.get(results.cell))
        for results in cells
        if results.cell.execution.mode == "default" and results.speed is not None
    ]


def tax(results: CellResults, program: CellResults | None, floor: float | None) -> Tax:
    """Return the layers of one cell; `program` is its twin in the mode `epoch`."""
    inner = [] if program is None else program.ranked_records
    epoch = program.speed.step_seconds if program is not None and program.speed else None
    step = by_round(results.ranked_records, step_seconds)
    return Tax(
        results=results,
        floor=floor,
        epoch=epoch,
        dispatch=median_difference(by_round(inner, step_seconds), step),
        loop=median_difference(step, by_round(results.ranked_records, native_seconds)),
        looking=median_difference(step, by_round(results.ranked_records, latency_mean_seconds)),
    )


def median_difference(inner: Mapping[int, float], outer: Mapping[int, float]) -> Estimate | None:
    """Return the median of outer minus inner over their common rounds; None if there are none."""
    return cell_value([outer[turn] - inner[turn] for turn in sorted(inner.keys() & outer.keys())])
