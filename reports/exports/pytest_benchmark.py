"""Export a run in pytest-benchmark's JSON, so that its `compare` can read it.

Each lane of a cell becomes a benchmark. Each trial becomes one of its rounds, with the median
seconds per step of that trial.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

import pytest_benchmark
from pytest_benchmark.stats import Stats

from bench.record.run import RunModel
from reports.results.cells import CellResults
from reports.results.report import Report
from reports.results.speed import LANES
from reports.results.standings import LANE, Standings


def as_pytest_benchmark(report: Report) -> dict[str, Any]:
    """Return the document that `pytest-benchmark compare` reads; it has measured lanes only."""
    run = report.run
    return {
        "machine_info": machine_info(run),
        "commit_info": {"id": run.run_id, "time": run.created, "project": "samestep"},
        "benchmarks": [
            benchmark
            for results in report.cells
            for benchmark in benchmarks(results, speedup_of(results, report.standings))
        ],
        "datetime": run.created,
        "version": pytest_benchmark.__version__,
    }


def machine_info(run: RunModel) -> dict[str, Any]:
    """Return the machine under pytest-benchmark's names."""
    environment = run.environment
    return {
        # a run stores a hash instead of the host's name
        "node": environment.host_sha256[:12],
        "processor": environment.machine,
        "machine": environment.machine,
        "python_version": environment.python,
        "system": environment.system,
        "cpu": {"brand_raw": environment.cpu, "count": environment.cores_logical},
    }


def speedup_of(results: CellResults, tables: Sequence[Standings]) -> dict[str, Any]:
    """Return the cell's speed-up of the full training loop; empty without one."""
    return next(
        (
            {
                "baseline": standings.baseline,
                "speedup": asdict(standing.speedup),
                "verdict": standing.verdict,
            }
            for standings in tables
            for standing in standings.cells
            if standing.results is results and standing.speedup is not None
        ),
        {},
    )


def benchmarks(results: CellResults, speedup: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield one benchmark per measured lane of the cell; the full loop's has the speed-up."""
    trials = results.good_records("timing")
    for lane, quantity in LANES.items():
        seconds = [value for value in map(quantity, trials) if value is not None]
        if seconds:
            extra = {"flags": [trial.flags for trial in trials]}
            extra |= speedup if lane == LANE else {}
            yield benchmark(results, lane, seconds, extra)


def benchmark(
    results: CellResults, lane: str, seconds: Sequence[float], extra: dict[str, Any]
) -> dict[str, Any]:
    """Return the benchmark of one lane; `seconds` has one value per step and trial."""
    cell = results.cell
    name = f"{lane}[{cell.label}]"
    return {
        "group": f"{cell.workload} on {results.device}, {lane} lane",
        "name": name,
        "fullname": f"samestep::{name}",
        "params": {"workload": cell.workload, "backend": cell.backend, "lane": lane},
        "param": cell.label,
        "extra_info": extra,
        "options": {},
        "stats": {**statistics_of(seconds), "data": list(seconds), "iterations": 1},
    }


def statistics_of(seconds: Sequence[float]) -> dict[str, Any]:
    """Return mean, quartiles, outliers and operations per second, by pytest-benchmark's code."""
    stats: Any = Stats()  # type: ignore[no-untyped-call] # it has no types
    for value in seconds:
        stats.update(value)
    return dict(stats.as_dict())
