"""A run in pytest-benchmark's JSON, so that its `compare` reads what samestep measured.

A cell's lane is a benchmark; a trial is a round of it: the median seconds per step of that trial.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import pytest_benchmark
from pytest_benchmark.stats import Stats

from bench.record import Record
from bench.record.run import RunModel
from reports.results.cells import CellResults
from reports.results.report import Report
from reports.results.speed import LANES


def as_pytest_benchmark(report: Report) -> dict[str, Any]:
    """Return the document that `pytest-benchmark compare` takes; it has only what was measured."""
    run = report.run
    return {
        "machine_info": machine_info(run),
        "commit_info": {"id": run.run_id, "time": run.created, "project": "samestep"},
        "benchmarks": [benchmark for results in report.cells for benchmark in benchmarks(results)],
        "datetime": run.created,
        "version": pytest_benchmark.__version__,
    }


def machine_info(run: RunModel) -> dict[str, Any]:
    found = run.environment
    return {
        # the host's name is hashed in a run, and stays so
        "node": found.host_sha256[:12],
        "processor": found.machine,
        "machine": found.machine,
        "python_version": found.python,
        "system": found.system,
        "cpu": {"brand_raw": found.cpu, "count": found.cores_logical},
    }


def benchmarks(results: CellResults) -> Iterator[dict[str, Any]]:
    trials = results.good("timing")
    for lane, quantity in LANES.items():
        seconds = [value for value in map(quantity, trials) if value is not None]
        if seconds:
            yield benchmark(results, lane, seconds, trials)


def benchmark(
    results: CellResults, lane: str, seconds: Sequence[float], trials: Sequence[Record]
) -> dict[str, Any]:
    cell = results.cell
    name = f"{lane}[{cell.label}]"
    return {
        "group": f"{cell.workload} on {results.device}, {lane} lane",
        "name": name,
        "fullname": f"samestep::{name}",
        "params": {"workload": cell.workload, "backend": cell.backend, "lane": lane},
        "param": cell.label,
        "extra_info": {"flags": [trial.flags for trial in trials]},
        "options": {},
        "stats": {**statistics_of(seconds), "data": list(seconds), "iterations": 1},
    }


def statistics_of(seconds: Sequence[float]) -> dict[str, Any]:
    """Return pytest-benchmark's own statistics, by its own code: mean, quartiles, outliers."""
    stats: Any = Stats()  # type: ignore[no-untyped-call] # it has no types
    for value in seconds:
        stats.update(value)
    return dict(stats.as_dict())
