"""What the figures were measured on: machine, versions, settings in force, other processes."""

from collections.abc import Iterable, Iterator, Sequence

from bench.record import EnvironmentModel, Record
from bench.run_file import RunModel
from reports.cells import CellResults, workloads
from reports.in_force import variables
from reports.parity import precision_of
from reports.text import NOTHING, escape, listed, number, plural, table

GIBIBYTE = 2**30
# What is requested and what is in force have these names and values in common. `mode="default"`
# and `optimizer="matched"` are answered in the framework's own words instead.
SAME_WORDS = ("device", "precision", "threads", "batch_size")


def machine_in_words(run: RunModel) -> str:
    return f"Machine: {escape(hardware(run))}"


def hardware(run: RunModel) -> str:
    """`<CPU>, 2 logical cores, 7.8 GiB of memory; GPU: none`, names as they are."""
    found = run.environment
    gpus = listed(gpu.name for gpu in found.gpus) if found.gpus else "none"
    return (
        f"{found.cpu}, {plural(found.cores_logical, 'logical core')}{of_them(found)}, "
        f"{number(found.memory_bytes / GIBIBYTE)} GiB of memory; GPU: {gpus}"
    )


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


def of_them(found: EnvironmentModel) -> str:
    """`, 1 of them used`, where processes may not run on all of them; else nothing."""
    if found.cores == found.cores_logical:
        return ""
    return f", {found.cores} of them used"


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


def settings(cells: Sequence[CellResults]) -> list[str]:
    """What the trials say was really in force, a table for each device."""
    blocks = [
        "## Settings in force",
        "Read back inside the trials. Where a backend's value differs between workloads, all "
        "values are listed with the number of workloads that have them.",
    ]
    for device in dict.fromkeys(results.device for results in cells):
        blocks += settings_of(device, [one for one in cells if one.device == device])
    return blocks + unmet(cells)


def settings_of(device: str, cells: Sequence[CellResults]) -> list[str]:
    names = sorted({results.cell.backend for results in cells})
    columns = {name: in_force(one for one in cells if one.cell.backend == name) for name in names}
    keys = sorted({key for column in columns.values() for key in column})
    if not keys:
        return []
    rows = [[escape(key), *(values(columns[name].get(key, {})) for name in names)] for key in keys]
    headers = ["setting", *map(escape, names)]
    return [f"### On {escape(device)}", table(headers, rows)]


def in_force(cells: Iterable[CellResults]) -> dict[str, dict[str, set[str]]]:
    """Setting to value to the workloads that have it; environment variables among the settings."""
    found: dict[str, dict[str, set[str]]] = {}
    for results in cells:
        for record in in_own_precision(results):
            effective = record.settings.effective if record.settings is not None else {}
            for key, value in {**variables(record), **effective}.items():
                workloads_with = found.setdefault(key, {}).setdefault(str(value), set())
                workloads_with.add(results.cell.workload)
    return found


def in_own_precision(results: CellResults) -> list[Record]:
    """All but certificates in another precision, float64 most often: that was asked for there."""
    return [
        record
        for record in results.records
        if precision_of(record) == results.cell.execution.precision
    ]


def values(found: dict[str, set[str]]) -> str:
    if len(found) < 2:
        return escape(next(iter(found), NOTHING))
    return "; ".join(f"{escape(value)} ({len(found[value])})" for value in sorted(found))


def unmet(cells: Sequence[CellResults]) -> list[str]:
    """Settings that were requested under a name that is in force with another value."""
    rows = sorted(
        {
            (escape(results.name), escape(key), escape(wanted), escape(effective[key]))
            for results in cells
            for record in in_own_precision(results)
            if record.settings is not None
            for effective in [record.settings.effective]
            for key, wanted in record.settings.requested.items()
            if key in SAME_WORDS and wanted is not None and effective.get(key, wanted) != wanted
        }
    )
    if not rows:
        return []
    headers = ["cell", "setting", "requested", "in force"]
    return ["Requested, but another value is in force:", table(headers, rows)]


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
