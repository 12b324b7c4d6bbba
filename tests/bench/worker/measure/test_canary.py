"""The canary against programs that lie about their work, in their own time."""

import numpy as np
import pytest

from bench.errors import MeasurementError
from bench.spec import Execution
from bench.worker.measure import Canary, canary
from bench.workloads import MLP_512
from tests.fakes.adapter import STEP_SECONDS, Clock, EarlyReturning, FakeProgram, Skipping

BATCH = (np.zeros((128, 784), np.float32), np.arange(128) % 10)


def seen(kind: type[FakeProgram], steps: int = 4) -> Canary:
    clock = Clock()
    program = kind(MLP_512, Execution(device="cpu", batch_size=128), clock)
    shapes = MLP_512.parameter_shapes()
    program.load({name: np.zeros(shape, np.float32) for name, shape in shapes.items()}, 0)
    return canary(program, [BATCH], steps, clock)


def test_an_honest_program_takes_twice_as_long_for_twice_the_steps():
    found = seen(FakeProgram)
    assert found == Canary(
        steps=4,
        single_seconds=(4 * STEP_SECONDS,) * 5,
        double_seconds=(8 * STEP_SECONDS,) * 5,
        late_seconds=(0.0,) * 5,
    )
    assert (found.ratio, found.late_share, found.doubtful) == (2.0, 0.0, False)
    found.require_sound()


def test_a_program_that_returns_before_its_work_is_done_is_caught_by_what_comes_late():
    found = seen(EarlyReturning)
    # what it shows of its work scales as it should
    assert found.ratio == 2.0
    with pytest.raises(MeasurementError, match=r"% of a block's work came after its end"):
        found.require_sound()


def test_a_program_that_skips_work_is_caught_by_twice_the_steps():
    found = seen(Skipping)
    with pytest.raises(MeasurementError, match=r"twice the steps took 1 times as long"):
        found.require_sound()


class OnceDisturbed(FakeProgram):
    """Honest, but for a moment in which everything takes as long as anything."""

    def synchronize(self) -> None:
        # the first canary: five pairs of 4 and 8 steps
        if self.steps <= 5 * 12 and self._queued_seconds:
            self._queued_seconds = 1.0
        super().synchronize()


def test_a_busy_moment_accuses_nobody():
    found = seen(OnceDisturbed)
    assert found.ratio == 2.0
    found.require_sound()


def test_blocks_that_take_no_time_are_no_measurement():
    nothing = Canary(
        steps=1, single_seconds=(0.0,) * 5, double_seconds=(0.0,) * 5, late_seconds=(0.0,) * 5
    )
    with pytest.raises(MeasurementError, match=r"Expected: 1\.8 to 2\.2"):
        nothing.require_sound()


@pytest.mark.parametrize(
    ("ratio", "doubtful"), [(1.6, True), (1.79, True), (1.81, False), (2.19, False), (2.5, True)]
)
def test_a_ratio_outside_its_range_is_doubtful_and_no_more(ratio, doubtful):
    found = Canary(
        steps=1, single_seconds=(1.0,) * 5, double_seconds=(ratio,) * 5, late_seconds=(0.1,) * 5
    )
    found.require_sound()
    assert found.doubtful == doubtful


def test_one_disturbed_pair_accuses_nobody():
    found = Canary(
        steps=1,
        single_seconds=(1.0, 9.0, 1.0, 1.0, 1.0),
        double_seconds=(2.0, 2.0, 2.0, 2.0, 2.0),
        late_seconds=(0.0, 5.0, 0.0, 0.0, 0.0),
    )
    found.require_sound()
    assert not found.doubtful
