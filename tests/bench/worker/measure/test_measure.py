"""Blocks, warm-up and phases are timed with a virtual clock: every figure is exact."""

import random
from collections.abc import Callable
from itertools import chain

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.errors import MeasurementError
from bench.spec import Execution
from bench.worker.measure import (
    Phases,
    block_size,
    fit_slice,
    has_two_levels,
    is_steady,
    step_block,
    warm_up,
)
from bench.workloads import MLP_512
from tests.fakes.adapter import (
    FIT_SECONDS,
    NATIVE_STEP_SECONDS,
    STEP_SECONDS,
    Clock,
    FakeProgram,
)

IMAGES = np.zeros((1280, 784), np.float32)
LABELS = np.arange(1280) % 10
BATCH = (IMAGES[:128], LABELS[:128])


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def program(clock: Clock) -> FakeProgram:
    program = FakeProgram(MLP_512, Execution(device="cpu", batch_size=128), clock)
    shapes = MLP_512.parameter_shapes()
    program.load({name: np.zeros(shape, np.float32) for name, shape in shapes.items()}, 0)
    return program


def clock_of_blocks(blocks: list[float]) -> Callable[[], float]:
    """Return a clock for the start and the end of each block, which takes these seconds."""
    return chain.from_iterable((0.0, seconds) for seconds in blocks).__next__


def test_the_time_of_a_block_is_of_its_steps_and_not_of_earlier_work(program, clock):
    program.train_step(BATCH)
    assert step_block(program, [BATCH], 7, clock) == 7 * STEP_SECONDS
    assert program.steps == 8


def test_a_block_takes_its_batches_in_turn(program, clock):
    batches = []
    program.train_step = batches.append
    step_block(program, ["a", "b", "c"], 7, clock)
    assert "".join(batches) == "abcabca"


def test_a_slice_of_fit_ends_when_its_work_is_done(program, clock):
    program.train_step(BATCH)
    expected = FIT_SECONDS + 5 * NATIVE_STEP_SECONDS
    assert fit_slice(program, IMAGES[:640], LABELS[:640], 128, clock) == expected


def test_a_blocks_size_is_the_smallest_power_of_two_that_takes_a_tenth_of_a_second(program, clock):
    assert block_size(program, [BATCH], clock) == (64, STEP_SECONDS)
    # 1, 2, 4, ... 64 steps, three times each
    assert program.steps == 3 * 127


def test_a_blocks_size_depends_on_the_fastest_of_three(program):
    clock = clock_of_blocks([0.03, 0.02, 0.9, 0.2, 0.06, 0.3, 0.5, 0.12, 0.11])
    assert block_size(program, [BATCH], clock) == (4, 0.11 / 4)
    assert program.steps == 3 * (1 + 2 + 4)


def test_a_block_of_exactly_a_tenth_of_a_second_is_long_enough(program):
    assert block_size(program, [BATCH], clock_of_blocks([0.1, 0.1, 0.1])) == (1, 0.1)


def noise(share: float, seed: int, count: int = 10) -> list[float]:
    """Return seconds about 1 with a standard deviation of `share`."""
    draws = random.Random(seed)
    return [draws.gauss(1.0, share) for _ in range(count)]


def drift(share: float, count: int = 10) -> list[float]:
    """Return seconds from 1 to 1 + share in equal steps."""
    return [1 + share * index / (count - 1) for index in range(count)]


STEADY = {
    "constant": [0.125] * 10,
    "constant, five blocks": [0.125] * 5,
    "constant, two blocks": [0.125] * 2,
    "zero": [0.0] * 10,
    "one outlier": [1.0] * 4 + [3.0] + [1.0] * 5,
    "two outliers": [1.0, 3.0] + [1.0] * 6 + [3.0, 1.0],
    "drift of 1 %": drift(0.01),
    "step of 1 %": [1.0] * 5 + [1.01] * 5,
}
UNSTEADY = {
    "drift of 3 %": drift(0.03),
    "drift of 3 %, five blocks": drift(0.03, 5),
    "drift of 3 % downwards": drift(0.03)[::-1],
    "drift of 50 %": drift(0.5),
    "step of 5 %": [1.0] * 5 + [1.05] * 5,
    "step of 5 % downwards": [1.05] * 5 + [1.0] * 5,
    "warming up": [1 + 0.5 * 0.7**index for index in range(10)],
    "trend under noise": [
        value + trend for value, trend in zip(noise(0.01, 1), drift(0.2), strict=True)
    ],
    "bimodal, one after the other": [1.0, 1.0, 1.0, 1.0, 1.0, 1.2, 1.2, 1.2, 1.2, 1.2],
    "bimodal, in turn": [1.0, 1.2] * 5,
    "bimodal, three of ten": [1.0] * 3 + [1.2, 1.21, 1.19] * 2 + [1.2] * 1,
    "bimodal under noise": [
        value + 0.2 * (index % 3 == 0) for index, value in enumerate(noise(0.01, 2))
    ],
    "second half slow by turns": [1.0] * 5 + [1.03, 1.0, 1.03, 1.0, 1.03],
    "two blocks that differ": [1.0, 1.03],
}


@pytest.mark.parametrize("window", STEADY.values(), ids=STEADY)
def test_a_window_without_a_drift_is_steady(window):
    assert is_steady(window)


@pytest.mark.parametrize("window", UNSTEADY.values(), ids=UNSTEADY)
def test_a_window_with_a_drift_is_not_steady(window):
    assert not is_steady(window)


@pytest.mark.parametrize(
    ("blocks", "two"),
    [
        ([1.0] * 8 + [1.2] * 4, True),
        ([1.0] * 9 + [1.2] * 3, False),
        ([1.0] * 6 + [1.01] * 6, False),
        ([1.0, 1.05, 1.1, 1.2, 1.25, 1.3, 1.35, 1.4], False),
        ([1.0, 1.2] * 3, False),
    ],
    ids=["a third", "a quarter", "1 % apart", "spread", "six blocks"],
)
def test_two_levels_need_room_between_them_and_blocks_on_both(blocks, two):
    assert has_two_levels(blocks) == two


@pytest.mark.parametrize("share", [0.005, 0.03, 0.2])
def test_noise_has_one_level(share):
    assert sum(has_two_levels(noise(share, seed)) for seed in range(300)) <= 15


@pytest.mark.parametrize(("share", "least"), [(0.005, 0.99), (0.03, 0.65), (0.2, 0.65)])
def test_noise_without_a_drift_is_usually_steady(share, least):
    """A strict limit of 2 % would accept a third of windows with 3 % noise, few with 20 %."""
    assert sum(is_steady(noise(share, seed)) for seed in range(300)) >= least * 300


@pytest.mark.parametrize("share", [0.005, 0.03, 0.2])
def test_a_program_with_noise_becomes_warm(share):
    for seed in range(20):
        block, ran = block_of([max(0.01, seconds) for seconds in noise(share, seed, 60)])
        assert warm_up(block, 10, zero_compilations).steady, seed
        assert len(ran) <= 30


@given(
    share=st.floats(0.03, 1.0),
    count=st.integers(2, 12),
    seconds=st.floats(1e-4, 10),
    falling=st.booleans(),
)
@settings(max_examples=25)
def test_a_drift_is_never_steady(share, count, seconds, falling):
    window = [seconds * value for value in drift(share, count)]
    assert not is_steady(window[::-1] if falling else window)


@given(
    window=st.lists(st.floats(1e-6, 1e3), min_size=2, max_size=12),
    exponent=st.integers(-20, 20),
)
@settings(max_examples=40)
def test_the_verdict_does_not_depend_on_the_unit(window, exponent):
    # a power of two scales without rounding, so that no verdict at the limit changes
    assert is_steady([seconds * 2.0**exponent for seconds in window]) == is_steady(window)


def block_of(blocks: list[float]) -> tuple[Callable[[], float], list[float]]:
    """Return a block that takes these seconds in turn, and a list of the seconds so far."""
    ran: list[float] = []

    def block() -> float:
        ran.append(blocks[len(ran)])
        return ran[-1]

    return block, ran


def zero_compilations() -> int:
    """Return the count of compilations of a program that does not compile."""
    return 0


@pytest.mark.parametrize("window", [2, 5, 10])
def test_a_warm_program_is_steady_after_one_window(window):
    block, ran = block_of([0.125] * 60)
    assert warm_up(block, window, zero_compilations).steady
    assert len(ran) == window


def test_warm_up_continues_until_its_last_window_is_steady():
    block, ran = block_of([8.0, 4.0, 2.0, 1.0, 1.0] + [0.5] * 55)
    warm = warm_up(block, 4, zero_compilations)
    assert warm.steady
    assert list(warm.block_seconds) == ran
    # one slower block is an outlier and no drift
    assert ran[-4:] == [1.0, 0.5, 0.5, 0.5]


def test_warm_up_never_runs_more_than_sixty_blocks():
    block, ran = block_of([1e-3 * 1.1**index for index in range(61)])
    assert not warm_up(block, 10, zero_compilations).steady
    assert len(ran) == 60


def test_warm_up_never_starts_a_block_after_a_minute():
    block, ran = block_of([7.0 + index for index in range(60)])
    assert not warm_up(block, 10, zero_compilations).steady
    assert ran == [7.0, 8.0, 9.0, 10.0, 11.0, 12.0, 13.0]
    assert sum(ran[:-1]) < 60 <= sum(ran)


def test_a_compilation_makes_its_window_unsteady():
    block, ran = block_of([0.125] * 60)
    # after its fourth block the program is compiled once more
    assert warm_up(block, 3, lambda: 1 + (len(ran) >= 2) + (len(ran) >= 4)).steady
    assert len(ran) == 4 + 3


def test_a_program_that_compiles_in_every_block_is_never_warm():
    block, ran = block_of([0.125] * 60)
    assert not warm_up(block, 2, lambda: len(ran)).steady
    assert len(ran) == 60


@pytest.mark.parametrize(
    "blocks",
    [
        [1.0 + 0.01 * index for index in range(60)],
        [1.0 + 0.02 * index for index in range(60)][::-1],
        [1.0 if index // 5 % 2 else 1.2 for index in range(60)],
        [0.1 * 1.05**index for index in range(60)],
    ],
    ids=["rising", "falling", "two levels of five blocks", "growing"],
)
def test_a_series_that_moves_is_never_steady(blocks):
    block, ran = block_of(blocks)
    assert not warm_up(block, 10, zero_compilations).steady
    assert len(ran) == 60 or sum(ran) >= 60


def test_a_step_that_takes_no_time_has_no_block_size(program):
    with pytest.raises(MeasurementError, match="returns before its work is done"):
        block_size(program, [], lambda: 0.0)


@pytest.fixture
def phase_names() -> list[str]:
    return []


@pytest.fixture
def phases(clock: Clock, phase_names: list[str]) -> Phases:
    return Phases(clock, phase_names.append)


def spend(clock: Clock, seconds: float) -> None:
    clock.seconds += seconds


def test_a_phase_that_is_entered_twice_has_the_sum_of_both_times(phases, clock, phase_names):
    for name, seconds in (("load", 1.0), ("build", 4.0), ("load", 0.5)):
        with phases(name):
            assert phase_names[-1] == name
            spend(clock, seconds)
        spend(clock, 100.0)
    assert phases.seconds == {"load": 1.5, "build": 4.0}
    assert phase_names == ["load", "build", "load"]


def test_a_phase_inside_another_counts_only_for_itself(phases, clock, phase_names):
    with phases("accuracy"):
        spend(clock, 1.0)
        with phases("load"):
            spend(clock, 2.0)
        spend(clock, 4.0)
    assert phases.seconds == {"load": 2.0, "accuracy": 7.0}
    assert phase_names == ["accuracy", "load"]


def test_a_pause_inside_a_phase_has_its_own_time(phases, clock, phase_names):
    with phases("step"):
        spend(clock, 1.0)
        with phases.apart("waiting"):
            spend(clock, 8.0)
        spend(clock, 2.0)
    assert phases.seconds == {"waiting": 8.0, "step": 3.0}
    assert phase_names == ["step"]


def test_a_phase_that_fails_keeps_its_time(phases, clock):
    def fail() -> None:
        with phases("build"):
            spend(clock, 3.0)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert phases.seconds == {"build": 3.0}
