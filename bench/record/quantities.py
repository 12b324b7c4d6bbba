"""Compute what one record says: seconds per step of each lane, and what follows from them.

Every quantity is None if the record does not have its parts.
"""

from collections.abc import Iterable
from statistics import mean, median

import numpy as np

from bench.record import LanesModel, Record

NO_LANES = LanesModel()


def step_seconds(record: Record) -> float | None:
    """Return the seconds per step of the step lane."""
    lane = (record.lanes or NO_LANES).step
    return None if lane is None else median(lane.block_seconds) / lane.steps_per_block


def native_seconds(record: Record) -> float | None:
    """Return the seconds per step of the framework's own loop, its start-up included."""
    lane = (record.lanes or NO_LANES).native
    return None if lane is None else median(lane.slice_seconds) / lane.steps_per_slice


def tutorial_seconds(record: Record) -> float | None:
    """Return the seconds per step behind the input pipeline that a newcomer writes."""
    lane = (record.lanes or NO_LANES).tutorial
    return None if lane is None else median(lane.slice_seconds) / lane.steps_per_slice


def steady_seconds(record: Record) -> float | None:
    """Return the seconds per step of the framework's own loop without its start-up.

    It is the slope between two lengths of slices; None if both slices have the same length. Noise
    can make it, and the start-up, negative.
    """
    lane = (record.lanes or NO_LANES).native
    if lane is None or lane.steps_per_slice == lane.steps_per_short_slice:
        return None
    seconds = median(lane.slice_seconds) - median(lane.short_slice_seconds)
    return seconds / (lane.steps_per_slice - lane.steps_per_short_slice)


def startup_seconds(record: Record) -> float | None:
    """Return the seconds of a call of the framework's own loop before its steps: the intercept."""
    lane, steady = (record.lanes or NO_LANES).native, steady_seconds(record)
    if lane is None or steady is None:
        return None
    # not clipped at zero: that would hide how noisy the difference is
    return median(lane.slice_seconds) - lane.steps_per_slice * steady


def first_step_seconds(record: Record) -> float | None:
    """Return the seconds of the first step; None if an earlier process had compiled it."""
    return None if is_primed(record) else record.timings.first_step_seconds


def peak_rss_bytes(record: Record) -> float | None:
    """Return the peak of the worker process's resident memory."""
    return record.memory.peak_rss_bytes


def peak_device_bytes(record: Record) -> float | None:
    """Return the framework's own peak of device memory."""
    return record.memory.peak_device_bytes


def device_used_bytes(record: Record) -> float | None:
    """Return the driver's largest reading of memory in use on the whole GPU."""
    return None if record.gpu is None else record.gpu.peak_used_bytes


def power_watts(record: Record) -> float | None:
    """Return the mean power of the whole GPU board while the power lane ran."""
    use = record.gpu
    if use is None or use.energy_joules is None or not use.energy_seconds:
        return None
    return use.energy_joules / use.energy_seconds


def joules_per_step(record: Record) -> float | None:
    """Return the energy of the whole GPU board per train step, idle power included."""
    lane, use = (record.lanes or NO_LANES).power, record.gpu
    if lane is None or use is None or use.energy_joules is None:
        return None
    return use.energy_joules / lane.steps


def latency_seconds(record: Record) -> float | None:
    """Return the median of the single steps of the latency lane."""
    lane = (record.lanes or NO_LANES).latency
    return None if lane is None else median(lane.step_seconds)


def latency_mean_seconds(record: Record) -> float | None:
    """Return the mean of the single steps.

    It is what to compare with a block's time per step, which is also a mean.
    """
    lane = (record.lanes or NO_LANES).latency
    return None if lane is None else mean(lane.step_seconds)


def single_steps(records: Iterable[Record]) -> list[float]:
    """Return the seconds of every step of the latency lane of all these trials together."""
    lanes = [(record.lanes or NO_LANES).latency for record in records]
    return [seconds for lane in lanes if lane is not None for seconds in lane.step_seconds]


def latency_quantile(records: Iterable[Record], share: float) -> float | None:
    """Return the quantile `share` of all single steps of all these trials together."""
    steps = single_steps(records)
    return float(np.quantile(steps, share)) if steps else None


def observer_effect(record: Record) -> float | None:
    """Return how many times as long a step takes if each step is waited for: latency over step.

    Both sides are means: a block's time per step is a mean, and a median of single steps would
    leave out the slow ones.
    """
    return ratio(latency_mean_seconds(record), step_seconds(record))


def loop_overhead(record: Record) -> float | None:
    """Return how many times as long a step takes in the framework's own loop: native over step."""
    return ratio(native_seconds(record), step_seconds(record))


def pipeline_cost(record: Record) -> float | None:
    """Return how many times as long a step takes behind a newcomer's pipeline.

    It is the time of the tutorial lane divided by that of the native lane.
    """
    return ratio(tutorial_seconds(record), native_seconds(record))


def compile_seconds(record: Record) -> float | None:
    """Return the first step less a steady step: tracing, compiling, and all other one-time work.

    Further steps that compiled something are included, each less a steady step. The difference is
    not clipped at zero, because that would hide how noisy it is.
    """
    first, again = record.timings.first_step_seconds, record.timings.recompile_seconds
    steady, timing = step_seconds(record), record.trial.timing
    if first is None or steady is None or timing is None:
        return None
    call = timing.steps_per_call * steady
    return first - call + (0.0 if again is None else again - call)


def is_primed(record: Record) -> bool:
    """Return whether the compiler's cache held what an earlier process had compiled."""
    settings = record.settings
    return settings is not None and settings.effective.get("compile_cache") == "primed"


def cold_compile_seconds(record: Record) -> float | None:
    """Return `compile_seconds` of a trial with an empty or no compile cache."""
    return None if is_primed(record) else compile_seconds(record)


def primed_compile_seconds(record: Record) -> float | None:
    """Return `compile_seconds` of a trial with a filled compile cache."""
    return compile_seconds(record) if is_primed(record) else None


def ratio(above: float | None, below: float | None) -> float | None:
    """Divide the first number by the second; None if either is None."""
    return None if above is None or below is None else above / below
