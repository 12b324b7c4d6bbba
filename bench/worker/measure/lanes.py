"""What is timed: every lane of a timing trial, in the order of a trial.

A lane is a function of a warm program, what it works on, the plan and the clock; it returns the
lane as the record stores it. All seconds are those of `clock`.
"""

from collections.abc import Sequence
from itertools import cycle, islice, pairwise
from pathlib import Path
from typing import Any

from bench.adapter import Array, Program
from bench.spec import TimingPlan
from bench.worker.measure.blocks import fit_slice, step_block
from bench.worker.measure.canary import canary
from bench.worker.measure.counters import Sensors
from bench.worker.measure.phases import Clock, Phases
from bench.worker.measure.steady import WarmUp, has_two_levels, warm_up
from bench.worker.messages import (
    CanaryLane,
    LatencyLane,
    NativeLane,
    PowerLane,
    StepLane,
    TutorialLane,
)

# the program is warm by then, but `fit` must be traced and its pipeline built once
FIRST_FIT_STEPS = 16
# five pairs of a quarter and half a block: half a second of a trial
CANARY_SHARE = 4


def step_lane(
    program: Program,
    batches: Sequence[Any],
    batch_size: int,
    plan: TimingPlan,
    phases: Phases,
    sensors: Sensors,
    clock: Clock,
) -> tuple[StepLane, list[str]]:
    """Return the lane `step` and its flags: blocks of train steps, after a warm-up by blocks.

    The flags say that the blocks were not steady, or that the program compiled during them.
    """
    with phases("warmup"):
        warm = warm_up(
            lambda: run_steps(program, batches, plan.steps_per_block, plan, clock),
            plan.window_blocks,
            program.compilations,
        )
    compiled = program.compilations()
    with phases("step"):
        blocks = step_blocks(program, batches, plan, sensors, clock)
    lane = StepLane(
        warm_up_block_seconds=list(warm.block_seconds),
        block_seconds=blocks,
        steps_per_block=plan.steps_per_block,
        batch_size=batch_size,
    )
    return lane, step_flags(warm, blocks, recompiled=program.compilations() != compiled)


def step_blocks(
    program: Program, batches: Sequence[Any], plan: TimingPlan, sensors: Sensors, clock: Clock
) -> list[float]:
    """Return the seconds of each of the plan's blocks, one window of the sensors per block."""
    blocks = []
    for _ in range(plan.blocks):
        with sensors.window("step"):
            blocks.append(run_steps(program, batches, plan.steps_per_block, plan, clock))
    return blocks


def step_flags(warm: WarmUp, blocks: Sequence[float], *, recompiled: bool) -> list[str]:
    unsteady = not warm.steady or has_two_levels(blocks)
    return ["no_steady_state"] * unsteady + ["recompiled"] * recompiled


def run_steps(
    program: Program, batches: Sequence[Any], steps: int, plan: TimingPlan, clock: Clock
) -> float:
    """Return the seconds of `steps` steps, as calls of `steps_per_call` steps each."""
    calls = max(1, steps // plan.steps_per_call)
    return step_block(program, batches, calls, clock)


def run_up(
    program: Program, batches: Sequence[Any], plan: TimingPlan, phases: Phases, clock: Clock
) -> None:
    """Make the steps that begin each turn and stand in no lane; their phase is `run_up`."""
    if plan.run_up_steps:
        with phases.apart("run_up"):
            run_steps(program, batches, plan.run_up_steps, plan, clock)


def latency_lane(
    program: Program,
    batches: Sequence[Any],
    batch_size: int,
    plan: TimingPlan,
    sensors: Sensors,
    clock: Clock,
) -> LatencyLane:
    """Return the lane `latency`: train steps over `batches` in turn, synchronized after each."""
    program.synchronize()
    ends = []
    with sensors.window("latency"):
        started = clock()
        for batch in islice(cycle(batches), plan.latency_steps):
            program.train_step(batch)
            program.synchronize()
            ends.append(clock())
    seconds = [end - start for start, end in pairwise([started, *ends])]
    return LatencyLane(step_seconds=seconds, batch_size=batch_size)


def canary_lane(
    program: Program, batches: Sequence[Any], plan: TimingPlan, clock: Clock
) -> tuple[CanaryLane, list[str]]:
    """Return the lane `canary`, and the flag of a doubtful ratio.

    Raises `MeasurementError` if the times can't be those of the work.
    """
    calls = max(1, plan.steps_per_block // CANARY_SHARE // plan.steps_per_call)
    seen = canary(program, batches, calls, clock)
    seen.require_sound()
    lane = CanaryLane(
        steps=calls * plan.steps_per_call,
        single_seconds=seen.single_seconds,
        double_seconds=seen.double_seconds,
        late_seconds=seen.late_seconds,
    )
    return lane, ["canary"] * seen.doubtful


def warm_fit(
    program: Program,
    images: Array,
    labels: Array,
    batch_size: int,
    plan: TimingPlan,
    *,
    many_steps: bool,
) -> None:
    """Run `fit` over first slices that are not timed.

    With `many_steps` each number of steps is a program of its own, so that both slices run.
    """
    first = min(FIRST_FIT_STEPS, plan.native_steps)
    for steps in (plan.native_steps, short_steps(plan)) if many_steps else (first,):
        count = steps * batch_size
        program.fit(images[:count], labels[:count], batch_size)


def short_steps(plan: TimingPlan) -> int:
    """Return the steps of the native lane's short slice, which shows the loop's start-up cost."""
    return max(1, plan.native_steps // 4)


def native_lane(
    program: Program,
    images: Array,
    labels: Array,
    batch_size: int,
    plan: TimingPlan,
    sensors: Sensors,
    clock: Clock,
) -> NativeLane:
    """Return the lane `native`: slices of the framework's own loop, a long and a short in turn."""

    def seconds(steps: int) -> float:
        count = steps * batch_size
        with sensors.window("native"):
            return fit_slice(program, images[:count], labels[:count], batch_size, clock)

    sizes = plan.native_steps, short_steps(plan)
    pairs = [[seconds(steps) for steps in sizes] for _ in range(plan.native_slices)]
    return NativeLane(
        slice_seconds=[long for long, _ in pairs],
        short_slice_seconds=[short for _, short in pairs],
        steps_per_slice=plan.native_steps,
        steps_per_short_slice=short_steps(plan),
        batch_size=batch_size,
    )


def warm_tutorial(
    program: Program, folder: Path, images: Array, labels: Array, batch_size: int
) -> None:
    """Run one batch through the tutorial pipeline.

    Raises `ImportError` if the pipeline is not installed.
    """
    program.tutorial(folder, images[:batch_size], labels[:batch_size], batch_size)


def tutorial_lane(
    program: Program,
    folder: Path,
    images: Array,
    labels: Array,
    batch_size: int,
    plan: TimingPlan,
    clock: Clock,
) -> TutorialLane:
    """Return the lane `tutorial`: one slice through the input pipeline of a tutorial.

    `folder` holds the MNIST archives as the pipeline reads them.
    """
    count = plan.tutorial_steps * batch_size
    program.synchronize()
    started = clock()
    program.tutorial(folder, images[:count], labels[:count], batch_size)
    program.synchronize()
    return TutorialLane(
        slice_seconds=[clock() - started],
        steps_per_slice=plan.tutorial_steps,
        batch_size=batch_size,
    )


def power_lane(
    program: Program, batches: Sequence[Any], batch_size: int, plan: TimingPlan, clock: Clock
) -> PowerLane:
    """Return the lane `power`: blocks until `power_seconds` are over.

    The parent reads the energy at both ends of the phase.
    """
    seconds, blocks = 0.0, 0
    while seconds < plan.power_seconds:
        seconds += run_steps(program, batches, plan.steps_per_block, plan, clock)
        blocks += 1
    return PowerLane(seconds=seconds, steps=blocks * plan.steps_per_block, batch_size=batch_size)
