"""A report compares the right cells, and their verdicts have enough rounds."""

from dataclasses import replace

import numpy as np
import pytest

from bench.profiles import PROFILES
from bench.run.planner import raise_rounds
from bench.spec import Cell, Execution
from bench.spec.pairing import claims, opponents
from bench.stats import LEVEL, fewest_rounds
from bench.stats.ranks import signed_rank


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


@pytest.mark.parametrize("count", [1, 10, 25, 26, 100, 260])
def test_the_fewest_rounds_are_enough_for_every_claim_and_one_less_is_not(count):
    rounds = fewest_rounds(count)

    def smallest(n: int) -> float:
        return count * signed_rank(np.arange(1.0, n + 1), "two-sided")

    assert smallest(rounds) < LEVEL
    assert rounds == 6 or smallest(rounds - 1) >= LEVEL


def test_a_run_of_many_cells_has_more_rounds_unless_the_number_is_explicit():
    standard = PROFILES["standard"]
    pair = [cell("a"), cell("b")]
    crowd = [cell(name, workload=w) for w in ("mlp-512", "cnn") for name in "abcdefg"]
    assert claims(pair) == 2
    assert raise_rounds(standard, pair).rounds == 10
    assert raise_rounds(standard, crowd).rounds == fewest_rounds(claims(crowd)) > 10
    assert raise_rounds(replace(standard, judged=False), crowd).rounds == 10
    assert raise_rounds(PROFILES["smoke"], crowd).rounds == 1
