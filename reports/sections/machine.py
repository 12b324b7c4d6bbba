"""The machine of a run and the versions of its backends."""

from collections.abc import Iterator

from bench.record import EnvironmentModel
from bench.record.run import RunModel
from reports.results.machine import GIBIBYTE, used_cores
from reports.results.names import framework
from reports.results.report import Report
from reports.text import NOTHING, comma_list, escape, number, plural, table


def section(report: Report) -> Iterator[str]:
    """Yield machine and versions, with a warning if records come from other hosts."""
    run = report.run
    yield "## Machine and versions"
    yield table(["what", "value"], machine_rows(run.environment))
    yield table(["framework", "devices found", "versions"], version_rows(run))
    hosts = {record.environment.host_sha256 for record in report.records}
    if hosts - {run.environment.host_sha256}:
        yield (
            f"**Records come from {plural(len(hosts), 'host')}, not only from the one above:** "
            "configurations are comparable only within one host."
        )


def machine_rows(environment: EnvironmentModel) -> Iterator[list[str]]:
    """Yield name and value of each property of the machine."""
    physical = NOTHING if environment.cores_physical is None else str(environment.cores_physical)
    yield ["CPU", escape(environment.cpu)]
    yield [
        "cores",
        f"{physical} physical, {environment.cores_logical} logical{used_cores(environment)}",
    ]
    yield ["memory", f"{number(environment.memory_bytes / GIBIBYTE)} GiB"]
    for gpu in environment.gpus:
        size = "memory unknown"
        if gpu.memory_bytes is not None:
            size = f"{number(gpu.memory_bytes / GIBIBYTE)} GiB"
        yield ["GPU", f"{escape(gpu.name)}, {size}, driver {escape(gpu.driver)}"]
    if not environment.gpus:
        yield ["GPU", "none found"]
    yield ["system", f"{escape(environment.system)} ({escape(environment.machine)})"]
    yield ["samestep", escape(environment.samestep)]
    yield ["Python of the parent", escape(environment.python)]
    yield ["host (hashed)", escape(environment.host_sha256[:12])]


def version_rows(run: RunModel) -> Iterator[list[str]]:
    """Yield the devices and versions of each backend, by name."""
    for name, backend in sorted(run.backends.items()):
        versions = comma_list(
            f"{package} {version}" for package, version in backend.versions.items()
        )
        unavailable = "" if backend.unavailable is None else "unavailable"
        yield [
            escape(framework(name)),
            escape(comma_list(backend.devices)),
            escape(unavailable or versions),
        ]
