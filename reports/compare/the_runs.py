"""Runs side by side: machine, versions and calibration, with a mark where they are not the same."""

from collections.abc import Iterator, Sequence

from reports.compare.pairs import ComparedRun
from reports.results.cells import rounds
from reports.results.utilization import roofs
from reports.sections.machine import machine_rows, version_rows
from reports.text import NOTHING, escape, number, table

DIFFERENT = "**≠**"


def section(runs: Sequence[ComparedRun]) -> Iterator[str]:
    columns = [dict(facts(one)) for one in runs]
    names = dict.fromkeys(name for column in columns for name in column)
    rows = []
    for name in names:
        values = [column.get(name, NOTHING) for column in columns]
        rows.append([name, DIFFERENT if len(set(values)) > 1 else "", *values])
    yield "## The runs"
    yield table(["what", "", *(escape(one.name) for one in runs)], rows)
    yield f"{DIFFERENT}: not the same in all runs."


def facts(one: ComparedRun) -> Iterator[tuple[str, str]]:
    yield "made", escape(one.run.created)
    yield "profile", escape(one.run.profile)
    yield "rounds", str(rounds(one.run))
    gpus = 0
    for name, value in machine_rows(one.run.environment):
        gpus += name == "GPU"
        yield (name if name != "GPU" or gpus == 1 else f"GPU {gpus}"), value
    for backend, _, versions in version_rows(one.run):
        yield backend, versions
    for roof in roofs(one.run.calibration).values():
        name = escape(roof.name)
        yield f"{name}: matrix product, GFLOP/s", number(roof.operations_per_second / 1e9)
        yield f"{name}: memory, GB/s", number(roof.bytes_per_second / 1e9)
