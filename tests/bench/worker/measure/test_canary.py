"""The canary detects programs that return early or skip work, in virtual time."""

import numpy as np
import pytest

from bench.errors import MeasurementError
from bench.spec import Execution
from bench.worker.measure import Canary, canary
from bench.workloads import MLP_512
from tests.fakes.adapter import STEP_SECONDS, Clock, EarlyReturning, FakeProgram, Skipping

BATCH = (np.zeros((128, 784), np.float32), np.arange(128) % 10)


def run_canary(kind: type[FakeProgram], steps: int = 4) -> Canary:
    clock = Clock()
    program = kind(MLP_512, Execution(device="cpu", batch_size=128), clock)
    shapes = MLP_512.parameter_shapes()
    program.load({name: np.zeros(shape, np.float32) for name, shape in shapes.items()}, 0)
    return canary(program, [BATCH], steps, clock)


def test_an_honest_program_takes_twice_as_long_for_twice_the_steps():
    result = run_canary(FakeProgram)
    assert result == Canary(
        steps=4,
        single_seconds=(4 * STEP_SECONDS,) * 5,
        double_seconds=(8 * STEP_SECONDS,) * 5,
        late_seconds=(0.0,) * 5,
    )
    assert (result.ratio, result.late_share, result.doubtful) == (2.0, 0.0, False)
    result.require_sound()


def test_a_program_that_returns_before_its_work_is_done_is_detected_by_late_work():
    result = run_canary(EarlyReturning)
    # the visible part of its work has the right ratio
    assert result.ratio == 2.0
    with pytest.raises(MeasurementError, match=r"% of a block's work came after its end"):
        result.require_sound()


def test_a_program_that_skips_work_is_detected_by_twice_the_steps():
    result = run_canary(Skipping)
    with pytest.raises(MeasurementError, match=r"twice the steps took 1 times as long"):
        result.require_sound()


class OnceDisturbed(FakeProgram):
    """An honest program with a disturbance, in which every synchronization takes a second."""

    def synchronize(self) -> None:
        # the first canary has five pairs of 4 and 8 steps
        if self.steps <= 5 * 12 and self._queued_seconds:
            self._queued_seconds = 1.0
        super().synchronize()


def test_a_short_disturbance_raises_no_error():
    result = run_canary(OnceDisturbed)
    assert result.ratio == 2.0
    result.require_sound()


def test_blocks_that_take_no_time_raise_an_error():
    instant = Canary(
        steps=1, single_seconds=(0.0,) * 5, double_seconds=(0.0,) * 5, late_seconds=(0.0,) * 5
    )
    with pytest.raises(MeasurementError, match=r"Expected: 1\.8 to 2\.2"):
        instant.require_sound()


@pytest.mark.parametrize(
    ("ratio", "doubtful"), [(1.6, True), (1.79, True), (1.81, False), (2.19, False), (2.5, True)]
)
def test_a_ratio_outside_its_range_is_doubtful_but_raises_no_error(ratio, doubtful):
    result = Canary(
        steps=1, single_seconds=(1.0,) * 5, double_seconds=(ratio,) * 5, late_seconds=(0.1,) * 5
    )
    result.require_sound()
    assert result.doubtful == doubtful


def test_one_disturbed_pair_raises_no_error():
    result = Canary(
        steps=1,
        single_seconds=(1.0, 9.0, 1.0, 1.0, 1.0),
        double_seconds=(2.0, 2.0, 2.0, 2.0, 2.0),
        late_seconds=(0.0, 5.0, 0.0, 0.0, 0.0),
    )
    result.require_sound()
    assert not result.doubtful
