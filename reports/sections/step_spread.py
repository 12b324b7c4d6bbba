"""How single steps are spread: what a median hides of the slow ones."""

from collections.abc import Iterator, Sequence

import numpy as np

from reports.drawing.step_spread import distribution_file
from reports.results.cells import CellResults, by_device
from reports.results.step_spread import steps_of
from reports.sections.columns import named
from reports.text import image, number, table

SHARES = (0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
HEADERS = [
    "workload", "backend", "device", *(f"{100 * share:g} %" for share in SHARES), "slowest",
    "steps",
]  # fmt: skip


def section(cells: Sequence[CellResults]) -> Iterator[str]:
    """Nothing where no cell has single steps."""
    found = [one for one in cells if steps_of(one)]
    if not found:
        return
    yield "## How single steps are spread"
    yield table(HEADERS, map(row, found), ", ".join(HEADERS[3:]))
    yield (
        "Milliseconds within which so many of the single steps of all trials ended (latency lane: "
        "each step is waited for). Steps of one process are not independent of each other, so that "
        "these have no interval and no verdict."
    )
    for device in by_device(found):
        yield image(
            f"Share of single steps on {device} that took at most so many milliseconds, a curve "
            "for each backend and a panel for each workload; quantiles are in the table above",
            f"figures/{distribution_file(device)}",
        )


def row(results: CellResults) -> list[str]:
    steps = steps_of(results)
    return [
        *named(results),
        *(number(1e3 * float(value)) for value in np.quantile(steps, SHARES)),
        number(1e3 * max(steps)),
        f"{len(steps):,}",
    ]
