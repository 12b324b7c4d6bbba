"""How long reports of many records take. `python -m tests.reports.rendering` prints a table."""

import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.record import write_record
from bench.record.run import write_run
from bench.record.stored import record_path
from bench.workloads import WORKLOADS
from reports.report import write_report
from tests.records import build_records, build_run, plan

BACKENDS = ("jax", "keras-jax", "keras-tensorflow", "keras-torch", "pytorch")
SIZES = (250, 500, 1_000, 2_000)
# one seed and a certificate each, as in `standard`: the rest are timing trials
CELLS = len(WORKLOADS) * len(BACKENDS)


def write_run_of(records: int, folder: Path) -> None:
    """A run of all workloads and backends with about so many records."""
    rounds = max(1, (records - CELLS) // CELLS)
    trials = plan(workloads=tuple(WORKLOADS), backends=BACKENDS, rounds=rounds, epochs=None)
    run = build_run(trials)
    write_run(run, folder)
    for record in build_records(trials):
        write_record(record, record_path(folder, record.trial))


def seconds_to_render(records: int) -> float:
    with TemporaryDirectory() as name:
        write_run_of(records, Path(name))
        started = time.perf_counter()
        write_report(Path(name))
        return time.perf_counter() - started


def main(sizes: list[int]) -> None:
    print("records  seconds  milliseconds a record")
    for size in sizes:
        seconds = seconds_to_render(size)
        print(f"{size:7,}  {seconds:7.2f}  {1e3 * seconds / size:.1f}")


if __name__ == "__main__":
    main([int(size) for size in sys.argv[1:]] or list(SIZES))
