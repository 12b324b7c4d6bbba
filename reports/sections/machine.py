"""What the figures were measured on: machine, versions, settings in force, other processes."""

from collections.abc import Iterator, Sequence

from bench.record import EnvironmentModel, Record
from bench.record.run import RunModel
from reports.results.cells import CellResults, workloads
from reports.results.machine import GIBIBYTE, hardware, of_them
from reports.text import NOTHING, escape, listed, number, plural, table


def machine_in_words(run: RunModel) -> str:
    return f"Machine: {escape(hardware(run))}"


def machine(run: RunModel, records: Sequence[Record]) -> list[str]:
    hosts = {record.environment.host_sha256 for record in records}
    blocks = [
        "## Machine and versions",
        table(["what", "value"], machine_rows(run.environment)),
        table(["backend", "devices found", "versions"], version_rows(run)),
    ]
    if hosts - {run.environment.host_sha256}:
        blocks.append(
            f"**Records come from {plural(len(hosts), 'host')}, not only from the one above:** "
            "cells are comparable only within one host."
        )
    return blocks


def machine_rows(found: EnvironmentModel) -> Iterator[list[str]]:
    physical = NOTHING if found.cores_physical is None else str(found.cores_physical)
    yield ["CPU", escape(found.cpu)]
    yield ["cores", f"{physical} physical, {found.cores_logical} logical{of_them(found)}"]
    yield ["memory", f"{number(found.memory_bytes / GIBIBYTE)} GiB"]
    for gpu in found.gpus:
        size = "memory unknown"
        if gpu.memory_bytes is not None:
            size = f"{number(gpu.memory_bytes / GIBIBYTE)} GiB"
        yield ["GPU", f"{escape(gpu.name)}, {size}, driver {escape(gpu.driver)}"]
    if not found.gpus:
        yield ["GPU", "none found"]
    yield ["system", f"{escape(found.system)} ({escape(found.machine)})"]
    yield ["samestep", escape(found.samestep)]
    yield ["Python of the parent", escape(found.python)]
    yield ["host (hashed)", escape(found.host_sha256[:12])]


def version_rows(run: RunModel) -> Iterator[list[str]]:
    for name, found in sorted(run.backends.items()):
        versions = listed(f"{package} {version}" for package, version in found.versions.items())
        unavailable = "" if found.unavailable is None else "unavailable"
        yield [escape(name), escape(listed(found.devices)), escape(unavailable or versions)]


def preflight(run: RunModel) -> list[str]:
    """What a look at the machine before each session found that is not as it should be."""
    looks = [session.preflight for session in run.sessions if session.preflight is not None]
    if not looks:
        return []
    rows = [
        [escape(finding.name), escape(finding.value), finding.verdict, escape(finding.reason)]
        for found in looks
        for finding in found.findings
        if finding.verdict in ("doubtful", "unfit")
    ]
    verdicts = listed(found.verdict for found in looks)
    found = f"Before it was measured the machine was judged {verdicts} (`samestep doctor`)."
    return [found, table(["finding", "value", "verdict", "reason"], rows)] if rows else [found]


def contention(cells: Sequence[CellResults]) -> list[str]:
    """How much of the machine other processes took, from the least to the most disturbed trial."""
    rows = [
        [escape(workload), *shares([one for one in cells if one.cell.workload == workload])]
        for workload in workloads(cells)
    ]
    headers = ["workload", "trials", "other processes, % of all cores", "stolen, % of all cores"]
    return [
        "### What else was running",
        "CPU time of other processes (and of other virtual machines: stolen) over wall time and "
        "cores, from the least to the most disturbed timing trial.",
        table(headers, rows, ",".join(headers[1:])),
    ]


def shares(cells: Sequence[CellResults]) -> list[str]:
    records = [record for results in cells for record in results.good("timing")]
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


def spread(shares_found: Sequence[float]) -> str:
    if not shares_found:
        return "unknown"
    return f"{min(shares_found):.1f} to {max(shares_found):.1f}"
