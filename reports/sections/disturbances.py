"""The disturbances of a run: a look at the machine beforehand, other processes, flagged trials."""

from collections.abc import Iterator, Sequence

from bench.record.run import RunModel
from reports.results.cells import CellResults, workloads
from reports.results.report import Report
from reports.text import comma_list, escape, table


def section(report: Report) -> Iterator[str]:
    """Yield what disturbed the measurements, or may have disturbed them."""
    yield from preflight(report.run)
    yield from contention(report.cells)
    yield from flags(report.cells)


def preflight(run: RunModel) -> Iterator[str]:
    """Yield the verdict on the machine before each session, with the findings that are not fit."""
    looks = [session.preflight for session in run.sessions if session.preflight is not None]
    if not looks:
        return
    verdicts = comma_list(look.verdict for look in looks)
    yield f"The check of the machine before the run said: {verdicts} (`samestep doctor`)."
    rows = [
        [escape(finding.name), escape(finding.value), finding.verdict, escape(finding.reason)]
        for look in looks
        for finding in look.findings
        if finding.verdict in ("doubtful", "unfit")
    ]
    if rows:
        yield table(["finding", "value", "verdict", "reason"], rows)


def contention(cells: Sequence[CellResults]) -> Iterator[str]:
    """Yield the share of the machine that other processes used, per workload."""
    rows = [
        [
            escape(workload),
            *shares([results for results in cells if results.cell.workload == workload]),
        ]
        for workload in workloads(cells)
    ]
    headers = ["network", "trials", "other processes, % of all cores", "stolen, % of all cores"]
    yield "### What else was running"
    yield (
        "CPU time of other processes (and of other virtual machines: stolen) over wall time and "
        "cores, from the least to the most disturbed timing trial."
    )
    yield table(headers, rows, ",".join(headers[1:]))


def shares(cells: Sequence[CellResults]) -> list[str]:
    """Return the number of timing trials, and the ranges of the two shares in percent."""
    records = [record for results in cells for record in results.good_records("timing")]
    other: list[float] = []
    stolen: list[float] = []
    for record in records:
        load, cores = record.contention, record.environment.cores_logical
        # a trial that took no time has no share
        if load is None or not load.wall_seconds:
            continue
        for share, seconds in ((other, load.other_cpu_seconds), (stolen, load.steal_seconds)):
            if seconds is not None:
                share.append(100 * seconds / (load.wall_seconds * cores))
    return [str(len(records)), spread(other), spread(stolen)]


def spread(percentages: Sequence[float]) -> str:
    """Return the least and the most, or `unknown`."""
    if not percentages:
        return "unknown"
    return f"{min(percentages):.1f} to {max(percentages):.1f}"


def flags(cells: Sequence[CellResults]) -> Iterator[str]:
    """Yield how many timing trials have each flag; nothing if no trial is flagged."""
    rows = [
        [escape(results.cell.workload), escape(results.title), escape(flag), str(trials)]
        for results in cells
        if results.speed is not None
        for flag, trials in results.speed.flags.items()
    ]
    if rows:
        headers = ["network", "configuration", "flag", "timing trials"]
        yield "Flagged trials are in the figures above:"
        yield table(headers, rows, "timing trials")
