"""A setting that was asked for and is not in force: planted, one of each kind, and caught."""

from dataclasses import replace

import pytest

from bench.errors import ParityError
from bench.spec import Execution
from bench.worker.settings import require_compiled, require_settings
from bench.workloads import MLP_512

ASKED = Execution(device="cpu", batch_size=128, threads=2)
IN_FORCE = {
    "device": "cpu",
    "precision": "float32",
    "optimizer_equations": "keras",
    "optimizer_epsilon": 1e-7,
    "threads_intra": 2,
}


def test_what_is_as_asked_for_passes():
    require_settings(ASKED, MLP_512, IN_FORCE)
    require_compiled(ASKED, {"compiled": False})
    require_compiled(replace(ASKED, mode="compiled"), {"compiled": "inductor"})


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("device", "cuda:0"),
        ("precision", "tf32"),
        ("threads_intra", 1),
        ("optimizer_epsilon", 1e-8),
        ("optimizer_equations", "framework"),
    ],
)
def test_a_planted_mismatch_is_caught(setting, value):
    with pytest.raises(ParityError, match=f"setting {setting} is not what was asked for"):
        require_settings(ASKED, MLP_512, {**IN_FORCE, setting: value})


@pytest.mark.parametrize("mode", ["compiled", "graph", "epoch"])
@pytest.mark.parametrize("found", [False, None])
def test_a_mode_that_fell_back_is_caught(mode, found):
    with pytest.raises(ParityError, match="without a compiled program"):
        require_compiled(replace(ASKED, mode=mode), {"compiled": found})


def test_threads_that_nobody_asked_for_are_the_frameworks_choice():
    require_settings(replace(ASKED, threads=None), MLP_512, {**IN_FORCE, "threads_intra": 7})
