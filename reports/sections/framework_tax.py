"""What each layer of a framework adds to a step, from the arithmetic to the loop around it."""

from collections.abc import Iterator, Sequence

from bench.record.calibration import CalibrationModel
from reports.drawing.framework_tax import tax_file
from reports.results.cells import CellResults
from reports.results.framework_tax import MICRO, Tax, taxes
from reports.sections.columns import named
from reports.text import estimate, image, number, table

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


def row(one: Tax) -> list[str]:
    speed = one.results.speed
    steps = (one.epoch, *((speed.step_seconds, speed.native_seconds) if speed else (None, None)))
    lost = (one.dispatch, one.loop, one.looking)
    return [
        *named(one.results),
        number(None if one.floor is None else one.floor / MICRO),
        *(estimate(value, 1 / MICRO) for value in (*steps, *lost)),
    ]
