"""Read the good records of all published runs, for the pages about what has run."""

from collections.abc import Iterator
from functools import cache

from bench.record import Record
from bench.record.run import read_run
from bench.record.stored import read_records
from reports.results.parity import precision_of
from scripts.pages.marked import ROOT

PUBLISHED = ROOT / "reports" / "published"


@cache
def good_records() -> tuple[tuple[Record, str], ...]:
    """Return each record with status `ok`, in its cell's own precision, with its run's date."""
    return tuple(dated_records())


def dated_records() -> Iterator[tuple[Record, str]]:
    for folder in sorted(PUBLISHED.glob("*/")):
        run = read_run(folder)
        for record in read_records(folder, run):
            if record.status == "ok" and precision_of(record) == record.trial.execution.precision:
                yield record, run.created[:10]


def is_on_gpu(record: Record) -> bool:
    return record.trial.execution.device != "cpu"


def hardware(record: Record) -> str:
    """Return the GPU's name, or the CPU's with its number of logical cores."""
    machine = record.environment
    if not is_on_gpu(record) or not machine.gpus:
        return f"{machine.cpu} ({machine.cores_logical} cores)"
    return machine.gpus[0].name
