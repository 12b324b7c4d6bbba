"""The readings of a GPU's driver: power, energy, memory, clock."""

from collections.abc import Iterator, Sequence

from bench.record import GpuUseModel, Record
from bench.record.quantities import device_used_bytes, joules_per_step, power_watts
from reports.results.cells import CellResults
from reports.results.report import Report
from reports.results.speed import trial_median
from reports.sections.columns import CELL_HEADERS, cell_names
from reports.text import MEBIBYTE, NOTHING, comma_list, escape, estimate, number, table

HEADERS = [
    *CELL_HEADERS, "W", "limit W", "mJ/step", "n", "board memory MiB",
    "clock MHz", "slowed by",
]  # fmt: skip
MEANING = (
    "W and mJ/step: of the whole board, its idling included, by the driver's count of energy while "
    "train steps ran for at least 10 s; median over n trials, in brackets the 95 % interval. Board "
    "memory: the largest in use that was read between two phases; contexts and what a framework "
    "keeps in reserve count. Clock: of the multiprocessors, from the slowest to the fastest "
    "reading. Slowed by: what lowered the clock, as the driver says. –: the driver does not tell."  # noqa: RUF001
)


def section(report: Report) -> Iterator[str]:
    """Yield the readings of every cell that has them; nothing for a run without a GPU."""
    rows = [
        row(results, records) for results in report.cells if (records := monitored_records(results))
    ]
    if rows:
        yield "## Power and memory of the GPU"
        yield table(HEADERS, rows, ",".join(HEADERS[3:-1]))
        yield MEANING


def monitored_records(results: CellResults) -> list[Record]:
    """Return the cell's timing trials with readings of the driver."""
    return [record for record in results.ranked_records if record.gpu is not None]


def row(results: CellResults, records: Sequence[Record]) -> list[str]:
    uses = [record.gpu for record in records if record.gpu is not None]
    limits = [use.power_limit_watts for use in uses if use.power_limit_watts is not None]
    energy = trial_median(records, joules_per_step)
    return [
        *cell_names(results),
        estimate(trial_median(records, power_watts)),
        number(max(limits, default=None)),
        estimate(energy, 1e3),
        NOTHING if energy is None else str(energy.n),
        estimate(trial_median(records, device_used_bytes), 1 / MEBIBYTE),
        clocks(uses),
        slowdown_causes(uses),
    ]


def clocks(uses: Sequence[GpuUseModel]) -> str:
    """Return the slowest and the fastest reading of the clock."""
    readings = [clock for use in uses for clock in use.clock_megahertz or ()]
    return f"{min(readings):,} to {max(readings):,}" if readings else NOTHING


def slowdown_causes(uses: Sequence[GpuUseModel]) -> str:
    """Return what lowered the clock; `nothing` if the driver reported that for every trial."""
    reported = [use.slowed_by for use in uses if use.slowed_by is not None]
    causes = sorted({cause for trial_causes in reported for cause in trial_causes})
    if causes:
        return comma_list(map(escape, causes))
    return "nothing" if reported else NOTHING
