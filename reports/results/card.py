"""The card: the answer of a run or of a comparison in one figure, as data."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from bench.stats import SMALLEST_SAMPLE, Estimate, Verdict
from reports.results.caption import NO_BREAK, shorten
from reports.results.cells import CellResults, rounds, workloads
from reports.results.machine import machine_name
from reports.results.names import framework
from reports.results.report import Report
from reports.results.standings import MeanSpeedup, Standing, Standings
from reports.text import estimate, plural

# devices that the name of the machine already says
OBVIOUS_DEVICES = ("cpu", "cuda:0")
NOT_SHOWN = frozenset({Verdict.UNCLEAR, Verdict.UNDECIDED})


@dataclass(frozen=True, kw_only=True)
class Point:
    """The speed-up of a backend in a row; `is_shown` says that it may be quoted as a difference."""

    backend: str
    speedup: Estimate
    is_shown: bool


@dataclass(frozen=True, kw_only=True)
class Row:
    """A row of the card: a workload, or with `is_mean` the geometric mean over workloads."""

    name: str
    points: tuple[Point, ...]
    is_mean: bool = False


@dataclass(frozen=True, kw_only=True)
class Card:
    """What the card shows. `backends`, with the baseline, are in the order of their speed.

    `title` names the machine, `details` date and versions, and `source` what the card is cited by.
    `unit` says what is 1x, and `baseline` is the backend that is; None if none of them is.
    `stamp` is empty if the values may be cited, and `marks` are the texts at the foot.
    """

    title: str
    details: str
    stamp: str
    unit: str
    baseline: str | None
    backends: tuple[str, ...]
    rows: tuple[Row, ...]
    marks: tuple[str, ...]
    source: str

    @property
    def summary(self) -> dict[str, Point]:
        """Return the points that stand for the whole card, by backend."""
        return {point.backend: point for point in summary_points(self.rows)}

    @property
    def alternative(self) -> str:
        """Return the card in words, for readers who do not see it."""
        stamp = f"{self.stamp}. " if self.stamp else ""
        values = ", ".join(
            f"{framework(name)} {estimate(point.speedup)}" for name, point in self.summary.items()
        )
        summary = f": {values} ({self.rows[0].name})" if values else ""
        return (
            f"{stamp}{self.title}, {self.details}. Speed of a full training loop as a multiple of "
            f"{self.unit}{summary}; a row for each network, with 95 % intervals; the table below "
            "has the numbers"
        )


def card(report: Report) -> Card | None:
    """Return the card of the first device with a speed-up; None if no two backends were timed."""
    for standings in report.standings:
        if any(standing.speedup is not None for standing in standings.cells):
            return make_card(report, standings)
    return None


def make_card(report: Report, standings: Standings) -> Card:
    """Return the card of standings with at least one speed-up."""
    rows = tuple(list_rows(standings, is_judged=bool(report.pairs)))
    numbers = [point.speedup.n for row in rows for point in row.points]
    names = {standing.results.cell.backend for standing in standings.cells}
    return Card(
        title=device_name(report, standings),
        details=f"{report.caption.date} · {report.caption.versions}",
        stamp=stamp(report, max(numbers)),
        unit=framework(standings.baseline),
        baseline=standings.baseline,
        backends=order(names, summary_points(rows), standings.baseline),
        rows=rows,
        marks=(same_math(timed_cells(report.cells, standings)), interval(rows)),
        source=report.caption.source,
    )


def device_name(report: Report, standings: Standings) -> str:
    """Return the machine as the device of these standings, with what is not the default."""
    device, _, settings = standings.device.partition(", ")
    further = [] if device in OBVIOUS_DEVICES else [device]
    further += [settings] if settings else []
    return ", ".join([shorten(machine_name(report.run, device)), *further])


def list_rows(standings: Standings, *, is_judged: bool) -> Iterator[Row]:
    """Yield the geometric mean if there are several workloads, then a row per workload."""
    names = workloads([standing.results for standing in standings.cells])
    # a mean over fewer workloads would mislead beside the others
    means = [mean for mean in standings.means if len(mean.workloads) == len(names)]
    if len(names) > 1 and means:
        yield mean_row(means, len(names), is_judged=is_judged)
    for name in names:
        points = [point_of(standing) for standing in standings.of_workload(name)]
        yield Row(name=name, points=tuple(point for point in points if point is not None))


def mean_row(means: Sequence[MeanSpeedup], workload_count: int, *, is_judged: bool) -> Row:
    """Return the row of the means over so many workloads.

    A mean has no verdict: it is shown to differ if the run has verdicts and its interval lacks 1.
    """
    return Row(
        name=mean_name(workload_count),
        points=tuple(
            Point(
                backend=mean.backend,
                speedup=mean.speedup,
                is_shown=is_judged and mean.speedup.excludes(1),
            )
            for mean in means
        ),
        is_mean=True,
    )


def mean_name(workload_count: int) -> str:
    """Return the name of the row of means; a figure breaks the line before the number."""
    return f"geometric mean of{NO_BREAK}{workload_count}{NO_BREAK}networks"


def summary_points(rows: Sequence[Row]) -> tuple[Point, ...]:
    """Return the points of the geometric mean, or of the only row; empty if there is neither."""
    return rows[0].points if rows[0].is_mean or len(rows) == 1 else ()


def point_of(standing: Standing) -> Point | None:
    """Return the point of a cell; None for the baseline, and for a cell without a speed-up."""
    if standing.speedup is None:
        return None
    return judged_point(standing.results.cell.backend, standing.speedup, standing.verdict)


def judged_point(backend: str, speedup: Estimate, verdict: Verdict | None) -> Point:
    """Return a point that is shown to differ if it has a verdict and an interval."""
    is_shown = verdict is not None and verdict not in NOT_SHOWN and speedup.low is not None
    return Point(backend=backend, speedup=speedup, is_shown=is_shown)


def order(names: Iterable[str], summary: Iterable[Point], baseline: str | None) -> tuple[str, ...]:
    """Return the backends by their speed in these points; those without a value come last."""
    speeds = {point.backend: point.speedup.value for point in summary}
    if baseline is not None:
        speeds[baseline] = 1.0
    return tuple(sorted(sorted(names), key=lambda name: -speeds.get(name, 0.0)))


def stamp(report: Report, most_rounds: int) -> str:
    """Return why the run may not be cited; empty if it may be."""
    if report.stamp or most_rounds >= SMALLEST_SAMPLE:
        return report.stamp
    planned = rounds(report.run)
    part = f"{most_rounds} of " if most_rounds < planned else ""
    return f"preliminary: {part}{plural(planned, 'round')}, a verdict needs {SMALLEST_SAMPLE}"


def interval(rows: Iterable[Row]) -> str:
    """Return over how many rounds the intervals are; or how many rounds were too few for one."""
    speedups = [point.speedup for row in rows for point in row.points]
    whole = [speedup.n for speedup in speedups if speedup.low is not None]
    if not whole:
        return f"no interval: {span(speedup.n for speedup in speedups)}"
    return f"95 % interval over {span(whole)}"


def span(numbers: Iterable[int]) -> str:
    """Return `1 round`, `12 rounds` or `8 to 12 rounds`."""
    different = sorted(set(numbers))
    if len(different) > 1:
        return f"{different[0]} to {different[-1]} rounds"
    return f"{different[0]} round{'' if different == [1] else 's'}"


def timed_cells(cells: Iterable[CellResults], standings: Standings) -> list[CellResults]:
    """Return the timed cells of this device, with those whose figures are withheld."""
    shown = {standing.results.cell for standing in standings.cells}
    return [
        results
        for results in cells
        if results.cell in shown
        or (
            results.is_withheld
            and results.device == standings.device
            and any(trial.kind == "timing" for trial in results.planned_trials)
        )
    ]


def same_math(timed: Sequence[CellResults]) -> str:
    """Return how many of these cells have a parity certificate that holds."""
    certified = [results for results in timed if results.certificate_holds]
    if all(results.certificate_holds is None for results in timed):
        return "same math: no certificate"
    return f"same math {len(certified)} of {len(timed)}"
