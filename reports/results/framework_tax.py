"""What a framework adds to a step beyond arithmetic."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench.record.calibration import CalibrationModel
from bench.record.quantities import latency_mean_seconds, native_seconds, step_seconds
from bench.record.selection import by_round, ranked
from bench.stats import Estimate, cell_value
from reports.results.cells import CellResults
from reports.results.utilization import limits

MICRO = 1e-6


@dataclass(frozen=True, kw_only=True)
class Tax:
    """A cell in its default mode, in seconds per step; None where the run lacks what it takes.

    `floor` is the arithmetic of a step at the rate of the calibrated large product, `epoch` the
    step of the same backend's program of many steps. `dispatch` lies between that and the step,
    `loop` between the step and the framework's own loop, `looking` between the step and one that is
    waited for: medians of differences within rounds.
    """

    results: CellResults
    floor: float | None
    epoch: Estimate | None
    dispatch: Estimate | None
    loop: Estimate | None
    looking: Estimate | None

    @property
    def steps(self) -> dict[str, Estimate | None]:
        """Seconds per step by layer, from the inside out."""
        speed = self.results.speed
        if speed is None:
            return {}
        return {
            "one program": self.epoch,
            "step": speed.step_seconds,
            "native": speed.native_seconds,
            "latency": speed.latency_seconds,
        }


def taxes(cells: Sequence[CellResults], calibration: Sequence[CalibrationModel]) -> list[Tax]:
    """One for each cell with times whose backend has a program of many steps in the run, too."""
    by_cell = {results.cell: results for results in cells}
    floors = {
        one.results.cell: one.work.operations / one.roof.operations_per_second
        for one in limits(cells, calibration)
    }
    return [
        tax(results, by_cell.get(results.cell.but(mode="epoch")), floors.get(results.cell))
        for results in cells
        if results.cell.execution.mode == "default" and results.speed is not None
    ]


def tax(results: CellResults, program: CellResults | None, floor: float | None) -> Tax:
    records = ranked(results.good("timing"))
    inner = [] if program is None else ranked(program.good("timing"))
    epoch = program.speed.step_seconds if program is not None and program.speed else None
    return Tax(
        results=results,
        floor=floor,
        epoch=epoch,
        dispatch=between(by_round(inner, step_seconds), by_round(records, step_seconds)),
        loop=between(by_round(records, step_seconds), by_round(records, native_seconds)),
        looking=between(by_round(records, step_seconds), by_round(records, latency_mean_seconds)),
    )


def between(inner: Mapping[int, float], outer: Mapping[int, float]) -> Estimate | None:
    """The median difference over the rounds that both have."""
    return cell_value([outer[turn] - inner[turn] for turn in sorted(inner.keys() & outer.keys())])
