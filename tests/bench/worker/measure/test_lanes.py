"""Each lane measures a fake program with a virtual clock: every figure is exact."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bench.errors import MeasurementError
from bench.spec import Execution, TimingPlan
from bench.worker.measure import (
    Phases,
    Sensors,
    canary_lane,
    latency_lane,
    native_lane,
    power_lane,
    run_up,
    short_steps,
    step_lane,
    tutorial_lane,
    warm_fit,
    warm_tutorial,
)
from bench.workloads import MLP_512
from tests.fakes.adapter import (
    FIT_SECONDS,
    NATIVE_STEP_SECONDS,
    STEP_SECONDS,
    TUTORIAL_STEP_SECONDS,
    Clock,
    EarlyReturning,
    FakeProgram,
    Skipping,
    WithoutTutorial,
)

IMAGES = np.zeros((1280, 784), np.float32)
LABELS = np.arange(1280) % 10
BATCH = (IMAGES[:128], LABELS[:128])
FOLDER = Path("mnist")
CPU = Execution(device="cpu", batch_size=128)


@pytest.fixture
def clock() -> Clock:
    return Clock()


def load_program(kind: type[FakeProgram], clock: Clock) -> FakeProgram:
    program = kind(MLP_512, CPU, clock)
    shapes = MLP_512.parameter_shapes()
    program.load({name: np.zeros(shape, np.float32) for name, shape in shapes.items()}, 0)
    return program


@pytest.fixture
def program(clock: Clock) -> FakeProgram:
    return load_program(FakeProgram, clock)


@pytest.fixture
def phase_names() -> list[str]:
    return []


@pytest.fixture
def phases(clock: Clock, phase_names: list[str]) -> Phases:
    return Phases(clock, phase_names.append)


def timing_plan(native_steps: int = 8, native_slices: int = 1, **others: float) -> TimingPlan:
    plan = TimingPlan(
        window_blocks=5,
        blocks=6,
        steps_per_block=64,
        native_steps=native_steps,
        native_slices=native_slices,
        tutorial_steps=1,
    )
    return replace(plan, **others)


def test_the_step_lane_has_blocks_after_a_warm_up(program, clock, phases, phase_names):
    sensors = Sensors()
    lane, flags = step_lane(program, [BATCH], 128, timing_plan(), phases, sensors, clock)
    assert lane == {
        "warm_up_block_seconds": [64 * STEP_SECONDS] * 5,
        "block_seconds": [64 * STEP_SECONDS] * 6,
        "steps_per_block": 64,
        "batch_size": 128,
    }
    assert flags == []
    assert phase_names == ["warmup", "step"]
    assert phases.seconds == {"warmup": 5 * 64 * STEP_SECONDS, "step": 6 * 64 * STEP_SECONDS}
    assert program.steps == (5 + 6) * 64
    assert len(sensors.columns()["step"]["wall_seconds"]) == 6


def test_a_block_of_the_step_lane_has_as_many_calls_as_its_steps_need(program, clock, phases):
    plan = timing_plan(steps_per_call=16)
    lane, _ = step_lane(program, [BATCH], 128, plan, phases, Sensors(), clock)
    # a call of the fake takes as long as a step, for any number of steps
    assert lane["block_seconds"] == [4 * STEP_SECONDS] * 6
    assert lane["steps_per_block"] == 64


def test_a_compilation_during_the_warm_up_is_no_flag(program, clock, phases):
    program.compilations = lambda: min(program.steps, 64)
    _, flags = step_lane(program, [BATCH], 128, timing_plan(), phases, Sensors(), clock)
    assert flags == []


def test_a_compilation_during_the_blocks_is_flagged(program, clock, phases):
    program.compilations = lambda: int(program.steps > 7 * 64)
    _, flags = step_lane(program, [BATCH], 128, timing_plan(), phases, Sensors(), clock)
    assert flags == ["recompiled"]


def test_a_program_that_is_never_warm_is_flagged(program, clock, phases):
    program.compilations = lambda: program.steps
    lane, flags = step_lane(program, [BATCH], 128, timing_plan(), phases, Sensors(), clock)
    assert len(lane["warm_up_block_seconds"]) == 60
    assert flags == ["no_steady_state", "recompiled"]


class TwoLevels(FakeProgram):
    """A program with a train step that takes 1.5 times as long after the first 9 blocks."""

    def train_step(self, batch):
        super().train_step(batch)
        self._queued_seconds += STEP_SECONDS / 2 * (self.steps > 9 * 64)


def test_blocks_on_two_levels_are_flagged(clock, phases):
    slow = load_program(TwoLevels, clock)
    plan = timing_plan(blocks=8)
    lane, flags = step_lane(slow, [BATCH], 128, plan, phases, Sensors(), clock)
    assert lane["block_seconds"] == [64 * STEP_SECONDS] * 4 + [96 * STEP_SECONDS] * 4
    assert flags == ["no_steady_state"]


def test_a_run_up_is_in_no_lane_and_has_its_own_time(program, clock, phases, phase_names):
    plan = timing_plan(run_up_steps=16)
    sensors = Sensors(turn=lambda: run_up(program, [BATCH], plan, phases, clock))
    lane, _ = step_lane(program, [BATCH], 128, plan, phases, sensors, clock)
    assert lane["block_seconds"] == [64 * STEP_SECONDS] * 6
    assert phases.seconds["run_up"] == 6 * 16 * STEP_SECONDS
    assert phases.seconds["step"] == 6 * 64 * STEP_SECONDS
    assert phase_names == ["warmup", "step"]
    assert program.steps == (5 + 6) * 64 + 6 * 16


def test_a_plan_without_a_run_up_has_no_time_for_it(program, clock, phases):
    run_up(program, [BATCH], timing_plan(), phases, clock)
    assert (program.steps, phases.seconds) == (0, {})


def test_the_latency_lane_waits_for_every_step(program, clock):
    program.train_step(BATCH)
    sensors = Sensors()
    lane = latency_lane(program, [BATCH], 128, timing_plan(latency_steps=5), sensors, clock)
    assert lane == {"step_seconds": [STEP_SECONDS] * 5, "batch_size": 128}
    assert program.steps == 6
    assert len(sensors.columns()["latency"]["wall_seconds"]) == 1


def test_the_canary_lane_has_a_quarter_and_half_of_a_block(program, clock):
    lane, flags = canary_lane(program, [BATCH], timing_plan(), clock)
    assert lane == {
        "steps": 16,
        "single_seconds": (16 * STEP_SECONDS,) * 5,
        "double_seconds": (32 * STEP_SECONDS,) * 5,
        "late_seconds": (0.0,) * 5,
    }
    assert flags == []
    assert program.steps == 5 * (16 + 32)


def test_the_canary_lane_counts_steps_and_not_calls(program, clock):
    lane, _ = canary_lane(program, [BATCH], timing_plan(steps_per_call=8), clock)
    assert lane["steps"] == 16
    assert program.steps == 5 * (2 + 4)


class SlowSynchronizing(FakeProgram):
    """A program with synchronizations that take 8 steps, so that twice the steps take 1.67."""

    def synchronize(self):
        self._queued_seconds += 8 * STEP_SECONDS * bool(self._queued_seconds)
        super().synchronize()


def test_a_doubtful_canary_is_flagged(clock):
    _, flags = canary_lane(load_program(SlowSynchronizing, clock), [BATCH], timing_plan(), clock)
    assert flags == ["canary"]


@pytest.mark.parametrize("kind", [EarlyReturning, Skipping])
def test_a_canary_that_shows_missing_work_is_an_error(kind, clock):
    with pytest.raises(MeasurementError, match="canary"):
        canary_lane(load_program(kind, clock), [BATCH], timing_plan(), clock)


@pytest.mark.parametrize(
    ("native_steps", "many_steps", "images"),
    [(8, False, [1024]), (80, False, [16 * 128]), (8, True, [1024, 256])],
    ids=["short", "long", "many steps"],
)
def test_fit_is_warmed_up_by_its_first_slices(program, native_steps, many_steps, images):
    data = np.zeros((native_steps * 128, 1), np.float32), np.zeros(native_steps * 128, np.int64)
    warm_fit(program, *data, 128, timing_plan(native_steps), many_steps=many_steps)
    assert program.fitted_images == images


@pytest.mark.parametrize(("native", "short"), [(100, 25), (103, 25), (4, 1), (1, 1)])
def test_the_short_slice_is_a_quarter(native, short):
    assert short_steps(timing_plan(native)) == short


def test_the_native_lane_alternates_long_and_short_slices(program, clock):
    sensors = Sensors()
    lane = native_lane(
        program, IMAGES, LABELS, 128, timing_plan(8, native_slices=3), sensors, clock
    )
    assert lane == {
        "slice_seconds": [FIT_SECONDS + 8 * NATIVE_STEP_SECONDS] * 3,
        "short_slice_seconds": [FIT_SECONDS + 2 * NATIVE_STEP_SECONDS] * 3,
        "steps_per_slice": 8,
        "steps_per_short_slice": 2,
        "batch_size": 128,
    }
    assert program.fitted_images == [1024, 256] * 3
    assert len(sensors.columns()["native"]["wall_seconds"]) == 6


def test_the_start_up_time_of_the_loop_follows_from_the_two_slices(program, clock):
    lane = native_lane(program, IMAGES, LABELS, 128, timing_plan(8), Sensors(), clock)
    (long,), (short,) = lane["slice_seconds"], lane["short_slice_seconds"]
    step = (long - short) / (lane["steps_per_slice"] - lane["steps_per_short_slice"])
    assert step == NATIVE_STEP_SECONDS
    assert long - 8 * step == FIT_SECONDS


def test_the_tutorial_lane_is_one_slice(program, clock):
    program.train_step(BATCH)
    plan = timing_plan(tutorial_steps=3)
    assert tutorial_lane(program, FOLDER, IMAGES, LABELS, 128, plan, clock) == {
        "slice_seconds": [3 * TUTORIAL_STEP_SECONDS],
        "steps_per_slice": 3,
        "batch_size": 128,
    }


def test_the_tutorial_pipeline_is_warmed_up_by_one_batch(program, clock):
    warm_tutorial(program, FOLDER, IMAGES, LABELS, 128)
    program.synchronize()
    assert clock() == TUTORIAL_STEP_SECONDS


def test_a_pipeline_that_is_not_installed_is_an_error(clock):
    with pytest.raises(ImportError, match="fakevision"):
        warm_tutorial(load_program(WithoutTutorial, clock), FOLDER, IMAGES, LABELS, 128)


def test_the_power_lane_runs_complete_blocks_until_its_seconds_are_over(program, clock):
    lane = power_lane(program, [BATCH], 128, timing_plan(power_seconds=0.3), clock)
    assert lane == {"seconds": 3 * 64 * STEP_SECONDS, "steps": 192, "batch_size": 128}
    assert clock() == lane["seconds"]
