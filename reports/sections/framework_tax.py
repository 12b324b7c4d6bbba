"""The framework tax: what each layer adds to a step, from the arithmetic to the loop around it."""

from collections.abc import Iterator

from reports.drawing.framework_tax import figure_file
from reports.results.framework_tax import MICRO, Tax
from reports.results.report import Report
from reports.sections.columns import CELL_HEADERS, cell_names
from reports.text import estimate, figure, number, table

HEADERS = [
    *CELL_HEADERS, "arithmetic", "one program", "step", "full loop", "dispatch", "loop", "looking",
]  # fmt: skip


def section(report: Report) -> Iterator[str]:
    """Yield the layers of every cell; nothing if no cell ran in the mode `epoch`."""
    taxes = report.taxes
    if all(tax.epoch is None for tax in taxes):
        return
    yield "## The framework tax"
    yield "Microseconds per step, from the inside out, each framework in its default mode."
    yield table(HEADERS, map(row, taxes), ",".join(HEADERS[3:]))
    yield (
        "Arithmetic: the counted operations at the rate of the large product that was calibrated. "
        "One program: the step of the same framework in mode `epoch`, many steps per call. What is "
        "lost: dispatch, between one program and one call per step (below zero if the program is "
        "slower); loop, between the step and the framework's own loop; looking, between the step "
        "and a step with wait. Each is the median over rounds of differences within a round."
    )
    for device in dict.fromkeys(tax.results.cell.execution.device for tax in taxes):
        yield figure(
            f"Microseconds per step on {device} by layer, for each network and framework; the "
            "numbers are in the table above",
            figure_file(device),
        )


def row(tax: Tax) -> list[str]:
    speed = tax.results.speed
    steps = (tax.epoch, *((speed.step_seconds, speed.native_seconds) if speed else (None, None)))
    costs = (tax.dispatch, tax.loop, tax.looking)
    return [
        *cell_names(tax.results),
        number(None if tax.floor is None else tax.floor / MICRO),
        *(estimate(value, 1 / MICRO) for value in (*steps, *costs)),
    ]
