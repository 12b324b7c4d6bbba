"""The lanes `native` and `latency` of a warm program; `step` is blocks alone."""

from collections.abc import Iterable
from itertools import cycle, islice, pairwise
from typing import Any

from bench.adapter import Array, Program
from bench.spec import TimingPlan
from bench.worker.measure.blocks import fit_slice
from bench.worker.measure.counters import Sensors
from bench.worker.measure.phases import Clock


def short_steps(plan: TimingPlan) -> int:
    """Steps of the native lane's short slice, which tells the loop's start-up cost apart."""
    return max(1, plan.native_steps // 4)


def native_lane(
    program: Program,
    images: Array,
    labels: Array,
    batch_size: int,
    plan: TimingPlan,
    sensors: Sensors,
    clock: Clock,
) -> dict[str, Any]:
    """The record's lane `native`, of a warm program; long and short slices alternate."""
    sizes = {"slice_seconds": plan.native_steps, "short_slice_seconds": short_steps(plan)}
    lane: dict[str, Any] = {name: [] for name in sizes}
    for _ in range(plan.native_slices):
        for name, steps in sizes.items():
            count = steps * batch_size
            with sensors.window("native"):
                seconds = fit_slice(program, images[:count], labels[:count], batch_size, clock)
            lane[name].append(seconds)
    return {
        **lane,
        "steps_per_slice": plan.native_steps,
        "steps_per_short_slice": short_steps(plan),
        "batch_size": batch_size,
    }


def latency_lane(
    program: Program, batches: Iterable[Any], steps: int, sensors: Sensors, clock: Clock
) -> list[float]:
    """Seconds of each of `steps` train steps over `batches` in turn, synchronized after each."""
    program.synchronize()
    ends = []
    with sensors.window("latency"):
        started = clock()
        for batch in islice(cycle(batches), steps):
            program.train_step(batch)
            program.synchronize()
            ends.append(clock())
    return [end - start for start, end in pairwise([started, *ends])]
