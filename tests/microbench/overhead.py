"""Measure the overhead of the harness: its step lane against a bare loop over the same step.

Run it with `nox -s overhead`, or with `python -m tests.microbench.overhead BACKEND [WORKLOAD ...]`
in the environment of a backend. Both run in one process and take turns, block by block in a drawn
order. The answer is the median of the ratios of the pairs. Exits with 1 outside 0.98 to 1.02.
"""

import importlib
import random
import statistics
import sys
import time
from itertools import cycle, islice

from backends import BACKENDS
from bench import mnist
from bench.adapter import Backend, Program
from bench.spec import Execution, Workload
from bench.worker import measure
from bench.workloads import select_workloads

PAIRS = 9
BLOCKS = 6
LOWEST, HIGHEST = 0.98, 1.02


def build_with_batches(backend: Backend, workload: Workload):
    size = workload.batch_size
    program = backend.build(workload, Execution(device=backend.devices()[-1], batch_size=size))
    program.load(mnist.initial_parameters(workload, 0), seed=0)
    data = mnist.load()
    images = mnist.scaled(data.train_images[: 16 * size], workload.input_shape)
    starts = range(0, 16 * size, size)
    return program, [
        program.put((images[at : at + size], data.train_labels[at : at + size].copy()))
        for at in starts
    ]


def time_bare_loop(program: Program, batches: list, steps: int) -> float:
    step = program.train_step
    chosen = list(islice(cycle(batches), steps))
    program.synchronize()
    started = time.perf_counter()
    for batch in chosen:
        step(batch)
    program.synchronize()
    return time.perf_counter() - started


def time_harness(program: Program, batches: list, steps: int) -> float:
    return measure.step_block(program, batches, steps, time.perf_counter)


def ratio_of_pair(program: Program, batches: list, steps: int) -> float:
    """Return the ratio of the median blocks of harness and bare loop, which take turns."""
    seconds: dict = {time_harness: [], time_bare_loop: []}
    for _ in range(BLOCKS):
        for function in random.sample([time_harness, time_bare_loop], 2):
            seconds[function].append(function(program, batches, steps))
    return statistics.median(seconds[time_harness]) / statistics.median(seconds[time_bare_loop])


def main() -> None:
    name, *workloads = sys.argv[1:]
    backend = importlib.import_module(BACKENDS[name].adapter).open_backend(name)
    outside = 0
    for workload in select_workloads(workloads):
        program, batches = build_with_batches(backend, workload)
        steps, _ = measure.block_size(program, batches, time.perf_counter)
        ratios = [ratio_of_pair(program, batches, steps) for _ in range(PAIRS)]
        middle = statistics.median(ratios)
        outside += not LOWEST <= middle <= HIGHEST
        pairs = ", ".join(f"{ratio:.3f}" for ratio in ratios)
        print(f"{name} {workload.name}: step lane over bare loop {middle:.3f} ({pairs})")
    sys.exit(1 if outside else 0)


if __name__ == "__main__":
    main()
