"""The utilization of cells: counted work over measured time, under the roof of their device.

After the roofline model of Williams, Waterman and Patterson (2009). The work is counted
(`bench.spec.work`), and the roof was measured in the run (`bench.record.calibration`).
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

from bench.record.calibration import AttainedModel, CalibrationModel
from bench.spec import Dense
from bench.spec.work import Work, step_work
from bench.stats import Estimate
from reports.results.cells import CellResults

# device and precision
Place: TypeAlias = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Roof:
    """The best rates that any backend of the run attained on a device in a precision."""

    device: str
    precision: str
    operations_per_second: float
    bytes_per_second: float

    @property
    def name(self) -> str:
        return self.device if self.precision == "float32" else f"{self.device}, {self.precision}"

    @property
    def ridge(self) -> float:
        """Return the intensity, in operations per byte, at which both bounds are equal."""
        return self.operations_per_second / self.bytes_per_second

    def bound(self, intensity: float) -> float:
        """Return the most operations per second at this intensity."""
        return min(self.operations_per_second, intensity * self.bytes_per_second)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """A cell with a step time under the roof of its device. Shares are fractions."""

    results: CellResults
    roof: Roof
    work: Work
    operations_per_second: Estimate

    @property
    def share_of_product(self) -> float:
        return self.operations_per_second.value / self.roof.operations_per_second

    @property
    def share_of_roof(self) -> float:
        return self.operations_per_second.value / self.roof.bound(self.work.intensity)

    @property
    def is_bandwidth_bound(self) -> bool:
        """Return whether the bandwidth is the lower of the two bounds."""
        return self.work.intensity < self.roof.ridge


def roofs(calibration: Iterable[CalibrationModel]) -> dict[Place, Roof]:
    """Return the roofs by device and precision; empty if nothing was calibrated."""
    by_place: dict[Place, list[AttainedModel]] = {}
    for entry in calibration:
        if entry.attained is not None:
            by_place.setdefault((entry.device, entry.precision), []).append(entry.attained)
    return {
        (device, precision): Roof(
            device=device,
            precision=precision,
            operations_per_second=max(rates.large.operations_per_second for rates in attained),
            bytes_per_second=max(rates.accumulate.bytes_per_second for rates in attained),
        )
        for (device, precision), attained in by_place.items()
    }


def limits(cells: Iterable[CellResults], calibration: Iterable[CalibrationModel]) -> list[Limit]:
    """Return each cell that has a step time, a known workload and a roof, under that roof."""
    by_place = roofs(calibration)
    return list(filter(None, (limit(results, by_place) for results in cells)))


def limit(results: CellResults, by_place: dict[Place, Roof]) -> Limit | None:
    """Return a cell under its roof; None if the cell lacks the roof, a step time or a workload."""
    execution, workload, speed = results.cell.execution, results.workload, results.speed
    roof = by_place.get((execution.device, execution.precision))
    if roof is None or workload is None or speed is None or speed.step_seconds is None:
        return None
    work = step_work(workload, execution.batch_size, execution.precision)
    return Limit(
        results=results,
        roof=roof,
        work=work,
        operations_per_second=rate(work.operations, speed.step_seconds),
    )


def own_products_seconds(
    results: CellResults, calibration: Iterable[CalibrationModel]
) -> float | None:
    """Return the seconds of a step's matrix products alone, each at the best rate of its shape.

    Forward and the two halves of backward count alike; the first layer has no gradient of inputs.
    None for a network that has other layers than dense ones, or if a shape was not calibrated.
    """
    execution, workload = results.cell.execution, results.workload
    if workload is None or not all(isinstance(layer, Dense) for layer in workload.layers):
        return None
    rates = best_rates(calibration, (execution.device, execution.precision))
    seconds = 0.0
    for number, (_, layer, shape) in enumerate(workload.named_layers()):
        assert isinstance(layer, Dense)
        own = execution.batch_size, shape[0], layer.units
        if own not in rates:
            return None
        seconds += (3 if number else 2) * 2 * math.prod(own) / rates[own]
    return seconds


def best_rates(
    calibration: Iterable[CalibrationModel], place: Place
) -> dict[tuple[int, int, int], float]:
    """Return the operations per second of each calibrated shape, the best of all backends."""
    rates: dict[tuple[int, int, int], float] = {}
    for entry in calibration:
        if entry.attained is not None and (entry.device, entry.precision) == place:
            for product in entry.attained.dense:
                attained = product.operations_per_second
                rates[product.shape] = max(attained, rates.get(product.shape, 0.0))
    return rates


def rate(operations: int, seconds: Estimate) -> Estimate:
    """Return the operations per second; the slow end of the time is the low end of the rate."""
    low, high = (None if end is None else operations / end for end in (seconds.high, seconds.low))
    return Estimate(value=operations / seconds.value, low=low, high=high, n=seconds.n)
