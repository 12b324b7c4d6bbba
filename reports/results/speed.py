"""The speed of one cell: each figure first per timing trial, then over the trials."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from bench.record import NativeLane, Record
from bench.record.quantities import (
    cold_compile_seconds,
    first_step_seconds,
    latency_quantile,
    latency_seconds,
    loop_overhead,
    native_seconds,
    observer_effect,
    peak_device_bytes,
    peak_rss_bytes,
    pipeline_cost,
    primed_compile_seconds,
    startup_seconds,
    steady_seconds,
    step_seconds,
    tutorial_seconds,
)
from bench.record.selection import Quantity, by_round
from bench.stats import Estimate, cell_value, samples_per_second

# the lanes that are compared, with the seconds per step of a trial in each
LANES: dict[str, Quantity] = {"native": native_seconds, "step": step_seconds}


@dataclass(frozen=True, slots=True, kw_only=True)
class Speed:
    """Figures of a cell's timing trials; None if no trial has the lane or the sensor.

    `flags` counts the trials per flag; flagged trials are in the figures. `observer_effect`,
    `loop_overhead` and `pipeline_cost` are ratios of two lanes of the same trial.
    """

    trials: int
    flags: dict[str, int]
    native_seconds: Estimate | None
    step_seconds: Estimate | None
    steady_seconds: Estimate | None
    startup_seconds: Estimate | None
    tutorial_seconds: Estimate | None
    latency_seconds: Estimate | None
    latency_p95_seconds: float | None
    latency_p99_seconds: float | None
    observer_effect: Estimate | None
    loop_overhead: Estimate | None
    pipeline_cost: Estimate | None
    samples_per_second: float | None
    first_step_seconds: Estimate | None
    cold_compile_seconds: Estimate | None
    primed_compile_seconds: Estimate | None
    peak_rss_bytes: Estimate | None
    peak_device_bytes: Estimate | None


def speed(records: Sequence[Record]) -> Speed | None:
    """Return the figures of these good timing trials; None if there are none."""
    if not records:
        return None
    return Speed(
        trials=len(records),
        flags=dict(sorted(Counter(flag for record in records for flag in record.flags).items())),
        native_seconds=trial_median(records, native_seconds),
        step_seconds=trial_median(records, step_seconds),
        steady_seconds=trial_median(records, steady_seconds),
        startup_seconds=trial_median(records, startup_seconds),
        tutorial_seconds=trial_median(records, tutorial_seconds),
        latency_seconds=trial_median(records, latency_seconds),
        latency_p95_seconds=latency_quantile(records, 0.95),
        latency_p99_seconds=latency_quantile(records, 0.99),
        observer_effect=trial_median(records, observer_effect),
        loop_overhead=trial_median(records, loop_overhead),
        pipeline_cost=trial_median(records, pipeline_cost),
        samples_per_second=throughput(records),
        first_step_seconds=trial_median(records, first_step_seconds),
        cold_compile_seconds=trial_median(records, cold_compile_seconds),
        primed_compile_seconds=trial_median(records, primed_compile_seconds),
        peak_rss_bytes=trial_median(records, peak_rss_bytes),
        peak_device_bytes=trial_median(records, peak_device_bytes),
    )


def trial_median(records: Sequence[Record], quantity: Quantity) -> Estimate | None:
    """Return the median of a quantity over the trials that have it; None if no trial does."""
    return cell_value([value for value in map(quantity, records) if value is not None])


def native_lanes(records: Sequence[Record]) -> list[NativeLane]:
    return [r.lanes.native for r in records if r.lanes is not None and r.lanes.native is not None]


def throughput(records: Sequence[Record]) -> float | None:
    """Return the samples per second of the native lane, from the totals of all slices."""
    lanes = native_lanes(records)
    if not lanes:
        return None
    samples = [len(lane.slice_seconds) * lane.steps_per_slice * lane.batch_size for lane in lanes]
    return samples_per_second(samples, [sum(lane.slice_seconds) for lane in lanes])


def paired_ratio(
    above: Sequence[Record], below: Sequence[Record], quantity: Quantity = native_seconds
) -> Estimate | None:
    """Return the median ratio, over rounds, of native seconds to a quantity of another cell.

    None if they have no common round.
    """
    # a ratio within a round cancels what slowed the machine in that round
    first, second = by_round(above, native_seconds), by_round(below, quantity)
    return cell_value([first[turn] / second[turn] for turn in sorted(first.keys() & second.keys())])
