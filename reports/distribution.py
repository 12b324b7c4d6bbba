"""How single steps are spread: what a median hides of the slow ones."""

from collections.abc import Iterator, Sequence

import numpy as np

from reports.cells import CellResults, by_device
from reports.text import escape, file_name, image, number, table
from reports.trials import ranked

SHARES = (0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
HEADERS = [
    "workload", "backend", "device", *(f"{100 * share:g} %" for share in SHARES), "slowest",
    "steps",
]  # fmt: skip


def section(cells: Sequence[CellResults]) -> Iterator[str]:
    """Nothing where no cell has single steps."""
    found = [one for one in cells if single_steps(one)]
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


def single_steps(results: CellResults) -> list[float]:
    """Seconds of every single step of the cell's ranked trials."""
    return [
        seconds
        for record in ranked(results.good("timing"))
        if record.lanes is not None and record.lanes.latency is not None
        for seconds in record.lanes.latency.step_seconds
    ]


def distribution_file(device: str) -> str:
    return f"steps-{file_name(device)}.png"


def row(results: CellResults) -> list[str]:
    steps = single_steps(results)
    return [
        escape(results.cell.workload),
        escape(results.cell.backend),
        escape(results.device),
        *(number(1e3 * float(value)) for value in np.quantile(steps, SHARES)),
        number(1e3 * max(steps)),
        f"{len(steps):,}",
    ]
