"""Time single steps, each synchronized, in one process: for a quick look, never for a report.

pytest-benchmark repeats inside one process; a report compares processes (`nox -s bench`).
"""

import pytest

from bench import mnist
from bench.adapter import Backend
from bench.spec import Execution, Workload
from bench.workloads import WORKLOADS

pytestmark = [
    pytest.mark.parametrize("workload", WORKLOADS.values(), ids=lambda value: value.name),
    # torch warns of every even kernel; the padding is right for the workload
    pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel:UserWarning"),
    # NumPy 2 warns when it reads Keras' variables; the values are right
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
]


def build_with_batch(backend: Backend, data: mnist.Mnist, workload: Workload):
    size = workload.batch_size
    program = backend.build(workload, Execution(device=backend.devices()[-1], batch_size=size))
    program.load(mnist.initial_parameters(workload, 0), seed=0)
    images = mnist.scaled(data.train_images[:size], workload.input_shape)
    return program, program.put((images, data.train_labels[:size].copy()))


def test_forward(benchmark, backend: Backend, data: mnist.Mnist, workload: Workload) -> None:
    """The logits are on the host, which synchronizes."""
    program, batch = build_with_batch(backend, data, workload)
    benchmark.group = f"forward {workload.name}"
    logits = benchmark.pedantic(program.forward, (batch,), rounds=30, warmup_rounds=5)
    assert logits.shape == (workload.batch_size, 10)


def test_train_step(benchmark, backend: Backend, data: mnist.Mnist, workload: Workload) -> None:
    program, batch = build_with_batch(backend, data, workload)
    before = program.forward(batch)

    def step() -> None:
        program.train_step(batch)
        program.synchronize()

    benchmark.group = f"train step {workload.name}"
    benchmark.pedantic(step, rounds=30, warmup_rounds=5)
    assert (program.forward(batch) != before).any()
