"""The answer: every framework against one baseline, then what was measured, a row per cell."""

from collections.abc import Callable, Iterator, Sequence

from bench.record.quantities import joules_per_step
from bench.stats import SMALLEST_SAMPLE, Estimate, Verdict
from reports.results.cells import has_timing
from reports.results.names import framework
from reports.results.report import Report
from reports.results.speed import trial_median
from reports.results.standings import Standing, Standings
from reports.results.summary import SummaryRow
from reports.sections.columns import CELL_HEADERS, cell_names
from reports.text import (
    MEBIBYTE,
    NOTHING,
    centre,
    escape,
    estimate,
    factor_estimate,
    number,
    percent,
    table,
)

DOUBTS = {Verdict.UNCLEAR: " unclear", Verdict.UNDECIDED: " undecided"}
MOST_REASONS = 4
Column = tuple[str, Callable[[SummaryRow], str]]


def section(report: Report) -> Iterator[str]:
    """Yield the table of speed-ups per device, and the table of what was measured."""
    if has_timing(report.run):
        for standings in report.standings:
            yield from speedups(standings, several=len(report.standings) > 1)
    rows = [row for row in report.rows if row.speed is not None or row.accuracy is not None]
    columns = [column for column in COLUMNS if any(column[1](row) != NOTHING for row in rows)]
    if rows:
        yield "## Measured"
        yield table(
            [*CELL_HEADERS, *(name for name, _ in columns)],
            [[*cell_names(row.results), *(text(row) for _, text in columns)] for row in rows],
            ",".join(name for name, _ in columns),
        )


def speedups(standings: Standings, *, several: bool) -> Iterator[str]:
    """Yield the table: a row per network, a column per framework, the fastest in bold."""
    backends = list(dict.fromkeys(one.results.cell.backend for one in standings.cells))
    if len(backends) < 2:
        return
    where = f", {escape(standings.device)}" if several else ""
    yield f"## Speed of a full training loop{where}"
    workloads = list(dict.fromkeys(one.results.cell.workload for one in standings.cells))
    rows = [workload_row(name, backends, standings) for name in workloads]
    if len(workloads) > 1:
        rows.append(mean_row(backends, standings))
    yield table(["network", *map(framework, backends)], rows)
    yield " ".join(legend(standings))


def legend(standings: Standings) -> Iterator[str]:
    """Yield what the values are, then the words that the table has."""
    has_interval = any(mean.speedup.low is not None for mean in standings.means)
    interval = ", with the 95 % interval" if has_interval else ""
    yield f"Times as fast as {framework(standings.baseline)}{interval}; above 1 is faster."
    yield "The fastest is in bold."
    unclear = [one for one in standings.cells if one.verdict is Verdict.UNCLEAR]
    if unclear:
        yield f"unclear: {reasons(unclear)}."
    if any(one.verdict is Verdict.UNDECIDED for one in standings.cells):
        yield f"undecided: fewer than {SMALLEST_SAMPLE} good rounds."


def reasons(unclear: Sequence[Standing]) -> str:
    """Return what each comparison lacks for a verdict; of many only that the details say it."""
    if len(unclear) > MOST_REASONS:
        return "not all conditions of a verdict hold; the details name the one"
    return "; ".join(
        f"{framework(one.results.cell.backend)} on {escape(one.results.cell.workload)}, because "
        f"{escape(one.reason)}"
        for one in unclear
    )


def workload_row(workload: str, backends: Sequence[str], standings: Standings) -> list[str]:
    """Return the speed-ups on one workload; 1x for the baseline itself."""
    own = {one.results.cell.backend: one for one in standings.of_workload(workload)}
    values = {
        name: Estimate(value=1.0, low=None, high=None, n=1)
        if name == standings.baseline and name in own
        else speedup_of(own.get(name))
        for name in backends
    }
    doubts = {name: DOUBTS.get(one.verdict, "") for name, one in own.items() if one.verdict}
    return [escape(workload), *cells(values, doubts)]


def speedup_of(standing: Standing | None) -> Estimate | None:
    """Return a cell's speed-up; None without a cell."""
    return None if standing is None else standing.speedup


def mean_row(backends: Sequence[str], standings: Standings) -> list[str]:
    """Return the geometric means, each with the number of its networks if that is not all."""
    means = {mean.backend: mean for mean in standings.means}
    most = max((len(mean.workloads) for mean in standings.means), default=0)
    values: dict[str, Estimate | None] = {
        name: means[name].speedup if name in means else None for name in backends
    }
    values[standings.baseline] = Estimate(value=1.0, low=None, high=None, n=1)
    fewer = {
        name: f" ({len(mean.workloads)} networks)"
        for name, mean in means.items()
        if len(mean.workloads) < most
    }
    return [f"geometric mean of {most}", *cells(values, fewer)]


def cells(values: dict[str, Estimate | None], notes: dict[str, str]) -> Iterator[str]:
    """Yield the text of each value with its note, the largest value in bold."""
    known = [value.value for value in values.values() if value is not None]
    for name, value in values.items():
        text = times(value) + notes.get(name, "")
        yield f"**{text}**" if value is not None and value.value == max(known) else text


def times(speedup: Estimate | None) -> str:
    """Return `2.27x [2.17, 2.56]`, or `1x` for the baseline."""
    if speedup is None:
        return NOTHING
    if speedup.value == 1.0 and speedup.low is None:
        return "1x"
    return factor_estimate(speedup)


def images_per_second(row: SummaryRow) -> str:
    return NOTHING if row.speed is None else number(row.speed.samples_per_second)


def milliseconds(row: SummaryRow) -> str:
    return NOTHING if row.speed is None else estimate(row.speed.native_seconds, 1e3)


def first_step(row: SummaryRow) -> str:
    return NOTHING if row.speed is None else centre(row.speed.first_step_seconds)


def memory(row: SummaryRow) -> str:
    return NOTHING if row.speed is None else centre(row.speed.peak_rss_bytes, 1 / MEBIBYTE)


def gpu_memory(row: SummaryRow) -> str:
    return NOTHING if row.speed is None else centre(row.speed.peak_device_bytes, 1 / MEBIBYTE)


def joules(row: SummaryRow) -> str:
    """Return the board's energy per 1,000 images of the power lane."""
    energy = trial_median(row.results.ranked_records, joules_per_step)
    return estimate(energy, 1_000 / row.results.cell.execution.batch_size)


def accuracy(row: SummaryRow) -> str:
    return NOTHING if row.accuracy is None else percent(row.accuracy.test_accuracy)


def seeds(row: SummaryRow) -> str:
    return NOTHING if row.accuracy is None else str(len(row.accuracy.seeds))


def rounds(row: SummaryRow) -> str:
    return NOTHING if row.speed is None else str(row.speed.trials)


COLUMNS: tuple[Column, ...] = (
    ("images/s", images_per_second),
    ("ms per step", milliseconds),
    ("first step (s)", first_step),
    ("memory (MiB)", memory),
    ("GPU memory (MiB)", gpu_memory),
    ("J per 1,000 images", joules),
    ("rounds", rounds),
    ("test accuracy", accuracy),
    ("seeds", seeds),
)
