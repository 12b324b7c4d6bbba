"""What each layer of a framework adds to a step, from the arithmetic to the loop around it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from bench.calibration import CalibrationModel
from bench.quantities import latency_mean_seconds, native_seconds, step_seconds
from bench.stats import Estimate, cell_value
from bench.trials import by_round, ranked
from reports.cells import CellResults, named
from reports.roofs import limits
from reports.text import estimate, image, number, table

MICRO = 1e-6
TAX_FILE = "tax"


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


HEADERS = [
    "workload", "backend", "device", "arithmetic", "one program", "step", "native", "dispatch",
    "loop", "looking",
]  # fmt: skip


def section(cells: Sequence[CellResults], calibration: Sequence[CalibrationModel]) -> Iterator[str]:
    """Nothing for a run without the mode `epoch`: then the lanes say it all."""
    found = taxes(cells, calibration)
    if all(one.epoch is None for one in found):
        return
    yield "## The framework tax"
    yield "Microseconds per step, from the inside out, each backend in its default mode."
    yield table(HEADERS, map(row, found), ",".join(HEADERS[3:]))
    yield (
        "arithmetic: the counted operations at the rate of the large product that was calibrated; "
        "one program: the step lane of the same backend in mode `epoch`, many steps in one call; "
        "step and native: as above. What is lost: dispatch, between one program and one call a "
        "step (below zero where the program is the slower one); loop, between the step and the "
        "framework's own loop; looking, between the step and one that is waited for. Each is the "
        "median over rounds of differences within a round."
    )
    for device in dict.fromkeys(one.results.cell.execution.device for one in found):
        yield image(
            f"Microseconds per step on {device} by layer, for each workload and backend; the "
            "numbers are in the table above",
            f"figures/{tax_file(device)}",
        )


def tax_file(device: str) -> str:
    return f"{TAX_FILE}-{device.replace(':', '')}.png"


def row(one: Tax) -> list[str]:
    speed = one.results.speed
    steps = (one.epoch, *((speed.step_seconds, speed.native_seconds) if speed else (None, None)))
    lost = (one.dispatch, one.loop, one.looking)
    return [
        *named(one.results),
        number(None if one.floor is None else one.floor / MICRO),
        *(estimate(value, 1 / MICRO) for value in (*steps, *lost)),
    ]
