"""What the timing trials of one cell say: each figure first per trial, then over the trials."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import TypeAlias

from bench.record import LanesModel, NativeLane, Record
from bench.stats import Estimate, cell_value, samples_per_second

Quantity: TypeAlias = Callable[[Record], float | None]
NO_LANES = LanesModel()


def step_seconds(record: Record) -> float | None:
    """Seconds per step of the step lane."""
    lane = (record.lanes or NO_LANES).step
    return None if lane is None else median(lane.block_seconds) / lane.steps_per_block


def native_seconds(record: Record) -> float | None:
    """Seconds per step of the framework's own loop, its start-up included."""
    lane = (record.lanes or NO_LANES).native
    return None if lane is None else median(lane.slice_seconds) / lane.steps_per_slice


def tutorial_seconds(record: Record) -> float | None:
    lane = (record.lanes or NO_LANES).tutorial
    return None if lane is None else median(lane.slice_seconds) / lane.steps_per_slice


def steady_seconds(record: Record) -> float | None:
    """Seconds per step of the framework's own loop without its start-up: the slope of two lengths.

    None where both slices are of one length. Noise can make it, and the start-up, negative.
    """
    lane = (record.lanes or NO_LANES).native
    if lane is None or lane.steps_per_slice == lane.steps_per_short_slice:
        return None
    seconds = median(lane.slice_seconds) - median(lane.short_slice_seconds)
    return seconds / (lane.steps_per_slice - lane.steps_per_short_slice)


def startup_seconds(record: Record) -> float | None:
    """What one call of the framework's own loop costs before its steps: the intercept."""
    lane, steady = (record.lanes or NO_LANES).native, steady_seconds(record)
    if lane is None or steady is None:
        return None
    # not clipped at zero: that would hide how noisy the difference is
    return median(lane.slice_seconds) - lane.steps_per_slice * steady


def first_step_seconds(record: Record) -> float | None:
    return record.timings.first_step_seconds


def peak_rss_bytes(record: Record) -> float | None:
    return record.memory.peak_rss_bytes


def peak_device_bytes(record: Record) -> float | None:
    return record.memory.peak_device_bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Speed:
    """Figures of a cell's timing trials; None where no trial has the lane or the sensor.

    `flags` counts trials by flag: they are in the figures, and marked.
    """

    trials: int
    flags: dict[str, int]
    native_seconds: Estimate | None
    step_seconds: Estimate | None
    steady_seconds: Estimate | None
    startup_seconds: Estimate | None
    tutorial_seconds: Estimate | None
    samples_per_second: float | None
    first_step_seconds: Estimate | None
    peak_rss_bytes: Estimate | None
    peak_device_bytes: Estimate | None


def speed(records: Sequence[Record]) -> Speed | None:
    """The figures of a cell from its good timing trials; None where there are none."""
    if not records:
        return None
    return Speed(
        trials=len(records),
        flags=dict(sorted(Counter(flag for record in records for flag in record.flags).items())),
        native_seconds=over_trials(records, native_seconds),
        step_seconds=over_trials(records, step_seconds),
        steady_seconds=over_trials(records, steady_seconds),
        startup_seconds=over_trials(records, startup_seconds),
        tutorial_seconds=over_trials(records, tutorial_seconds),
        samples_per_second=throughput(records),
        first_step_seconds=over_trials(records, first_step_seconds),
        peak_rss_bytes=over_trials(records, peak_rss_bytes),
        peak_device_bytes=over_trials(records, peak_device_bytes),
    )


def over_trials(records: Sequence[Record], quantity: Quantity) -> Estimate | None:
    return cell_value([value for value in map(quantity, records) if value is not None])


def native_lanes(records: Sequence[Record]) -> list[NativeLane]:
    return [r.lanes.native for r in records if r.lanes is not None and r.lanes.native is not None]


def throughput(records: Sequence[Record]) -> float | None:
    """Samples per second of the native lane, from the totals of all slices of all trials."""
    lanes = native_lanes(records)
    if not lanes:
        return None
    samples = [len(lane.slice_seconds) * lane.steps_per_slice * lane.batch_size for lane in lanes]
    return samples_per_second(samples, [sum(lane.slice_seconds) for lane in lanes])


def paired_ratio(above: Sequence[Record], below: Sequence[Record]) -> Estimate | None:
    """Native seconds of one cell over another's, round by round; None without a common round."""
    # a ratio within a round cancels what slowed the machine in that round
    first, second = by_round(above), by_round(below)
    return cell_value([first[turn] / second[turn] for turn in sorted(first.keys() & second.keys())])


def by_round(records: Sequence[Record]) -> dict[int, float]:
    return {
        record.trial.round: seconds
        for record in records
        if record.trial.round is not None and (seconds := native_seconds(record)) is not None
    }
