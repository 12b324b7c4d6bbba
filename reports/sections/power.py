"""The report's section on what a GPU's driver told: power, energy, memory, clock."""

from collections.abc import Iterator, Sequence

from bench.record import GpuUseModel, Record
from bench.record.quantities import device_used_bytes, joules_per_step, power_watts
from bench.record.selection import ranked
from reports.results.cells import CellResults
from reports.results.speed import over_trials
from reports.sections.columns import named
from reports.text import MEBIBYTE, NOTHING, escape, estimate, listed, number, table

HEADERS = [
    "workload", "backend", "device", "W", "limit W", "mJ/step", "n", "board memory MiB",
    "clock MHz", "slowed by",
]  # fmt: skip
MEANING = (
    "W and mJ/step: of the whole board, its idling included, by the driver's count of energy while "
    "train steps ran for at least 10 s; median over n trials, in brackets the 95 % interval. Board "
    "memory: the largest in use that was read between two phases; contexts and what a framework "
    "keeps in reserve count. Clock: of the multiprocessors, from the slowest to the fastest "
    "reading. Slowed by: what lowered the clock, as the driver says. –: the driver does not tell."  # noqa: RUF001
)


def section(cells: Sequence[CellResults]) -> Iterator[str]:
    """Nothing for a run without a GPU."""
    rows = [row(results, found) for results in cells if (found := watched(results))]
    if rows:
        yield "## Power and memory of the GPU"
        yield table(HEADERS, rows, ",".join(HEADERS[3:-1]))
        yield MEANING


def watched(results: CellResults) -> list[Record]:
    return [record for record in ranked(results.good("timing")) if record.gpu is not None]


def row(results: CellResults, records: Sequence[Record]) -> list[str]:
    uses = [record.gpu for record in records if record.gpu is not None]
    limits = [one.power_limit_watts for one in uses if one.power_limit_watts is not None]
    energy = over_trials(records, joules_per_step)
    return [
        *named(results),
        estimate(over_trials(records, power_watts)),
        number(max(limits, default=None)),
        estimate(energy, 1e3),
        NOTHING if energy is None else str(energy.n),
        estimate(over_trials(records, device_used_bytes), 1 / MEBIBYTE),
        clocks(uses),
        slowed(uses),
    ]


def clocks(uses: Sequence[GpuUseModel]) -> str:
    found = [clock for one in uses for clock in one.clock_megahertz or ()]
    return f"{min(found):,} to {max(found):,}" if found else NOTHING


def slowed(uses: Sequence[GpuUseModel]) -> str:
    """`nothing` where the driver said so of every trial that told."""
    told = [one.slowed_by for one in uses if one.slowed_by is not None]
    causes = sorted({cause for found in told for cause in found})
    if causes:
        return listed(map(escape, causes))
    return "nothing" if told else NOTHING
