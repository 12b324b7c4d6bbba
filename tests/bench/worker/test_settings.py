"""A requested setting that is not in force is detected, for each kind of setting."""

from dataclasses import replace

import pytest

from bench.errors import ParityError
from bench.spec import Execution
from bench.worker.settings import require_compiled, require_settings
from bench.workloads import MLP_512

REQUESTED = Execution(device="cpu", batch_size=128, threads=2)
EFFECTIVE = {
    "device": "cpu",
    "precision": "float32",
    "optimizer_equations": "keras",
    "optimizer_epsilon": 1e-7,
    "threads_intra": 2,
}


def test_settings_that_are_as_requested_pass():
    require_settings(REQUESTED, MLP_512, EFFECTIVE)
    require_compiled(REQUESTED, {"compiled": False})
    require_compiled(replace(REQUESTED, mode="compiled"), {"compiled": "inductor"})


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
def test_a_planted_mismatch_is_detected(setting, value):
    with pytest.raises(ParityError, match=f"setting {setting} is not what was asked for"):
        require_settings(REQUESTED, MLP_512, {**EFFECTIVE, setting: value})


@pytest.mark.parametrize("mode", ["compiled", "graph", "epoch"])
@pytest.mark.parametrize("compiled", [False, None])
def test_a_mode_that_fell_back_is_detected(mode, compiled):
    with pytest.raises(ParityError, match="without a compiled program"):
        require_compiled(replace(REQUESTED, mode=mode), {"compiled": compiled})


def test_without_a_request_the_framework_chooses_the_threads():
    require_settings(replace(REQUESTED, threads=None), MLP_512, {**EFFECTIVE, "threads_intra": 7})
