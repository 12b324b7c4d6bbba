"""Table of the runs: machine, versions and calibration, with a mark if they are not the same."""

from collections.abc import Iterator, Sequence

from reports.compare.sides import ComparedRun
from reports.results.cells import rounds
from reports.results.utilization import roofs
from reports.sections.machine import machine_rows, version_rows
from reports.text import NOTHING, escape, number, table

DIFFERENT = "**≠**"


def section(runs: Sequence[ComparedRun]) -> Iterator[str]:
    """Write heading, table with one column per run, and the legend of the mark."""
    columns = [dict(facts(run)) for run in runs]
    names = dict.fromkeys(name for column in columns for name in column)
    rows = []
    for name in names:
        values = [column.get(name, NOTHING) for column in columns]
        rows.append([name, DIFFERENT if len(set(values)) > 1 else "", *values])
    yield "## The runs"
    yield table(["what", "", *(escape(run.name) for run in runs)], rows)
    yield f"{DIFFERENT}: not the same in all runs."


def facts(compared: ComparedRun) -> Iterator[tuple[str, str]]:
    """Yield name and value per fact of a run; a second GPU is named `GPU 2`."""
    run = compared.run
    yield "made", escape(run.created)
    yield "profile", escape(run.profile)
    yield "rounds", str(rounds(run))
    gpus = 0
    for name, value in machine_rows(run.environment):
        gpus += name == "GPU"
        yield (name if name != "GPU" or gpus == 1 else f"GPU {gpus}"), value
    for backend, _, versions in version_rows(run):
        yield backend, versions
    for roof in roofs(run.calibration).values():
        name = escape(roof.name)
        yield f"{name}: matrix product, GFLOP/s", number(roof.operations_per_second / 1e9)
        yield f"{name}: memory, GB/s", number(roof.bytes_per_second / 1e9)
