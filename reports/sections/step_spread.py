"""The spread of single steps: the slow steps that a median hides."""

from collections.abc import Iterator

import numpy as np

from reports.drawing.step_spread import figure_file
from reports.results.cells import CellResults, group_by_device
from reports.results.report import Report
from reports.sections.columns import CELL_HEADERS, cell_names
from reports.text import figure, number, plain_percent, table

SHARES = (0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
HEADERS = [
    *CELL_HEADERS, *map(plain_percent, SHARES), "slowest",
    "steps",
]  # fmt: skip


def section(report: Report) -> Iterator[str]:
    """Yield the quantiles of every cell; nothing if no cell has single steps."""
    cells = [results for results in report.cells if results.single_steps]
    if not cells:
        return
    yield "## How single steps are spread"
    yield table(HEADERS, map(row, cells), ", ".join(HEADERS[3:]))
    yield (
        "Milliseconds within which so many of the single steps of all trials ended, each step "
        "waited for. Steps of one process depend on each other, so that these have no interval and "
        "no verdict."
    )
    for device in group_by_device(cells):
        yield figure(
            f"Share of single steps on {device} that took at most so many milliseconds, a curve "
            "for each framework and a panel for each network; quantiles are in the table above",
            figure_file(device),
        )


def row(results: CellResults) -> list[str]:
    steps = results.single_steps
    return [
        *cell_names(results),
        *(number(1e3 * float(value)) for value in np.quantile(steps, SHARES)),
        number(1e3 * max(steps)),
        f"{len(steps):,}",
    ]
