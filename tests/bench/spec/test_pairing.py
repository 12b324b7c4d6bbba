"""A report compares the right cells."""

from bench.spec import Cell, Execution
from bench.spec.pairing import opponents


def cell(backend: str, mode: str = "default", workload: str = "mlp-512", batch_size: int = 128):
    how = Execution(device="cpu", batch_size=batch_size, mode=mode)
    return Cell(workload=workload, backend=backend, execution=how)


def test_backends_are_compared_in_one_mode_and_modes_of_one_backend_with_its_default():
    cells = [
        cell(backend, mode) for backend in ("jax", "keras-jax") for mode in ("default", "epoch")
    ]
    pairs = {
        (a.backend, a.execution.mode, b.backend, b.execution.mode) for a, b in opponents(cells)
    }
    assert pairs == {
        ("keras-jax", "default", "jax", "default"),
        ("keras-jax", "epoch", "jax", "epoch"),
        ("jax", "epoch", "jax", "default"),
        ("keras-jax", "epoch", "keras-jax", "default"),
    }


def test_other_workloads_and_batch_sizes_are_not_compared():
    assert not list(opponents([cell("a"), cell("b", workload="cnn"), cell("b", batch_size=64)]))
    assert not list(opponents([cell("a", "compiled"), cell("a", "epoch")]))
