"""The table of a run's speeds for a terminal: a block per workload, the fastest backend first."""

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bench.cli.table import paragraph, table
from bench.errors import SamestepError

if TYPE_CHECKING:
    from bench.stats import Estimate
    from reports.results.cells import CellResults
    from reports.results.report import Report
    from reports.results.standings import Standing, Standings

HEADERS = ("backend", "ms/step", "images/s", "speed-up")
NOTHING = "-"


def speeds_so_far(folder: Path) -> str:
    """Return the table of the records in a run's folder; the reason if they allow none."""
    from bench.record.run import read_run
    from bench.record.stored import read_records
    from reports.results.impossible import reject_impossible
    from reports.results.report import Report

    try:
        run = read_run(folder)
        with reject_impossible(folder):
            return speed_table(Report(run, tuple(read_records(folder, run))))
    except SamestepError as error:
        # the run goes on, and its report will say the same
        return f"no table: {error}"


def speed_table(report: "Report") -> str:
    """Draw the speeds of each device against the baseline; empty if nothing was timed.

    Cells in other modes than the default are in the table only if no cell has a baseline.
    """
    shown = report.standings or without_baseline(report.cells)
    return "\n\n".join(map(device_table, shown))


def without_baseline(cells: "Sequence[CellResults]") -> "list[Standings]":
    """Return the timed cells per device, with nothing to compare them with."""
    from reports.results.standings import Standing, Standings

    groups: dict[str, list[CellResults]] = {}
    for results in cells:
        if native_seconds(results) is not None:
            groups.setdefault(results.device, []).append(results)
    return [
        Standings(
            device=device,
            baseline="",
            cells=tuple(Standing(results=one, speedup=None, verdict=None) for one in group),
            means=(),
        )
        for device, group in groups.items()
    ]


def device_table(standings: "Standings") -> str:
    """Draw the speeds of one device, and the geometric means over several workloads."""
    names = dict.fromkeys(standing.results.cell.workload for standing in standings.cells)
    rows = [row for name in names for row in workload_rows(name, standings)]
    if len(names) > 1 and standings.means:
        rows += mean_rows(standings, len(names))
    return f"{paragraph(title(standings))}\n{table(HEADERS, rows, HEADERS[1:])}"


def title(standings: "Standings") -> str:
    """Return the device, what was timed in how many rounds, and what the speed-ups are."""
    text = f"{standings.device}, full training loop, medians of {rounds(standings)}"
    if not standings.baseline:
        return text
    estimates = [standing.speedup for standing in standings.cells]
    sure = any(estimate is not None and estimate.low is not None for estimate in estimates)
    intervals = " with 95 % intervals" if sure else ""
    return f"{text}, speed-up against {standings.baseline}{intervals}"


def rounds(standings: "Standings") -> str:
    """Return `1 round` or `8 to 12 rounds`: how many each configuration has."""
    estimates = [native_seconds(standing.results) for standing in standings.cells]
    counts = [estimate.n for estimate in estimates if estimate is not None]
    fewest, most = min(counts, default=0), max(counts, default=0)
    return f"{'' if fewest == most else f'{fewest} to '}{most} round{'' if most == 1 else 's'}"


def workload_rows(name: str, standings: "Standings") -> Iterator[tuple[str, ...]]:
    """Yield the workload's name, then a row per backend, the fastest first."""
    yield name, "", "", ""
    of_workload = standings.of_workload(name)
    for standing in sorted(of_workload, key=lambda standing: order(standing.results)):
        backend = standing.results.cell.backend
        yield f"  {backend}", *figures(standing.results), speedup(standing, standings.baseline)


def mean_rows(standings: "Standings", workloads: int) -> Iterator[tuple[str, ...]]:
    """Yield the geometric mean of each backend, the fastest first."""
    yield "geometric mean", "", "", ""
    for mean in sorted(standings.means, key=lambda mean: -mean.speedup.value):
        spanned = len(mean.workloads)
        part = "" if spanned == workloads else f" ({spanned} of {workloads})"
        yield f"  {mean.backend}{part}", "", "", times(mean.speedup)


def figures(results: "CellResults") -> tuple[str, str]:
    """Return the milliseconds per step and the images per second of the full training loop."""
    from reports.text import centre, number

    seconds = native_seconds(results)
    rate = None if results.speed is None else results.speed.samples_per_second
    return (
        NOTHING if seconds is None else centre(seconds, 1000),
        NOTHING if rate is None else number(rate),
    )


def native_seconds(results: "CellResults") -> "Estimate | None":
    """Return the median seconds per step of the full training loop; None if it was not timed."""
    return None if results.speed is None else results.speed.native_seconds


def order(results: "CellResults") -> tuple[float, str]:
    """Return the key that sorts the fastest first."""
    estimate = native_seconds(results)
    return math.inf if estimate is None else estimate.value, results.cell.backend


def speedup(standing: "Standing", baseline: str) -> str:
    """Return `1.65x (1.57 to 1.88)`, or that the cell is the baseline."""
    if standing.speedup is not None:
        return times(standing.speedup)
    return "baseline" if standing.results.cell.backend == baseline else NOTHING


def times(estimate: "Estimate") -> str:
    """Return `1.65x`, with its interval from six rounds on: `1.65x (1.57 to 1.88)`."""
    from reports.text import factor, interval_words

    interval = interval_words(estimate)
    return f"{factor(estimate)} ({interval})" if interval else factor(estimate)
