"""The machine of a run and the versions of its backends."""

from collections.abc import Iterator

from bench.record import EnvironmentModel
from bench.record.run import RunModel
from reports.results.machine import GIBIBYTE, used_cores
from reports.results.report import Report
from reports.text import NOTHING, comma_list, escape, number, plural, table


def section(report: Report) -> Iterator[str]:
    """Yield machine and versions, and a warning if records come from other hosts."""
    run = report.run
    yield "## Machine and versions"
    yield table(["what", "value"], machine_rows(run.environment))
    yield table(["backend", "devices found", "versions"], version_rows(run))
    hosts = {record.environment.host_sha256 for record in report.records}
    if hosts - {run.environment.host_sha256}:
        yield (
            f"**Records come from {plural(len(hosts), 'host')}, not only from the one above:** "
            "cells are comparable only within one host."
        )


def machine_rows(found: EnvironmentModel) -> Iterator[list[str]]:
    """Yield what an environment holds of its machine: name and value."""
    physical = NOTHING if found.cores_physical is None else str(found.cores_physical)
    yield ["CPU", escape(found.cpu)]
    yield ["cores", f"{physical} physical, {found.cores_logical} logical{used_cores(found)}"]
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
    """Yield the devices and versions of each backend, by name."""
    for name, found in sorted(run.backends.items()):
        versions = comma_list(f"{package} {version}" for package, version in found.versions.items())
        unavailable = "" if found.unavailable is None else "unavailable"
        yield [escape(name), escape(comma_list(found.devices)), escape(unavailable or versions)]
