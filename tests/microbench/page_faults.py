"""Measure what memory that is given back to the system costs the step and the loop around it.

Run it in the environment of a backend, from the repository:
`KERAS_BACKEND=torch PYTHONPATH=. PYTHON -m tests.microbench.page_faults keras-torch > FILE`.
Each process takes slices of the loop and blocks of as many steps in turn. Processes as they are
and processes in which the C library keeps what is freed alternate. The answer is JSON.
"""

import importlib
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from backends import BACKENDS
from bench import mnist
from bench.worker import measure
from bench.workloads import select_workloads
from tests.microbench.overhead import build_with_batches

STEPS = 100
SLICES = 10
ROUNDS = 6
WORKLOADS = ("mlp-512-256", "mlp-1000")
# sizes above what any of these processes frees
KEPT = {
    "MALLOC_TRIM_THRESHOLD_": str(2 * 10**9),
    "MALLOC_MMAP_THRESHOLD_": str(10**9),
    "MALLOC_TOP_PAD_": str(2**28),
}


def cpu_name() -> str:
    """Return the CPU's model, as Linux names it."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, "unnamed CPU")


def measured(work: Callable[[], float]) -> tuple[float, float]:
    """Return milliseconds and page faults per step of work that returns its seconds."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    seconds = work()
    faults = resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
    return 1e3 * seconds / STEPS, faults / STEPS


def measure_here(name: str, workload_name: str) -> dict[str, object]:
    """Return both lanes of a workload in this process, slice by slice."""
    backend = importlib.import_module(BACKENDS[name].adapter).open_backend(name)
    (workload,) = select_workloads([workload_name])
    program, batches = build_with_batches(backend, workload)
    size = workload.batch_size
    data = mnist.load()
    images = mnist.scaled(data.train_images[: STEPS * size], workload.input_shape)
    labels = data.train_labels[: STEPS * size].copy()
    lanes = {
        "full loop": lambda: measure.fit_slice(program, images, labels, size, time.perf_counter),
        "step alone": lambda: measure.step_block(program, batches, STEPS, time.perf_counter),
    }
    for work in lanes.values():
        work()
    slices = [{lane: measured(work) for lane, work in lanes.items()} for _ in range(SLICES)]
    return {
        "workload": workload_name,
        "versions": backend.versions(),
        "lanes": {
            lane: {
                "milliseconds": [each[lane][0] for each in slices],
                "page_faults": [each[lane][1] for each in slices],
            }
            for lane in lanes
        },
    }


def measure_in_process(name: str, workload: str, variables: dict[str, str]) -> dict[str, object]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.microbench.page_faults", name, workload],
        env={**os.environ, **variables}, stdout=subprocess.PIPE, check=True,
    )  # fmt: skip
    return {"kept": bool(variables), **json.loads(done.stdout)}


def main() -> None:
    name, *chosen = sys.argv[1:]
    if chosen:
        print(json.dumps(measure_here(name, *chosen)))
        return
    processes = [
        measure_in_process(name, workload, variables)
        for _ in range(ROUNDS)
        for workload in WORKLOADS
        for variables in ({}, KEPT)
    ]
    document = {
        "backend": name,
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "cpu": cpu_name(),
        "cores": os.cpu_count(),
        "steps_per_slice": STEPS,
        "processes": processes,
    }
    print(json.dumps(document, indent=1))


if __name__ == "__main__":
    main()
