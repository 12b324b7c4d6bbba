"""The times per step of a workload's cells, their ratios, and the phases of a timing trial."""

from collections.abc import Iterator, Sequence
from statistics import median

from bench.record import Record, TimingsModel
from bench.stats import Estimate
from reports.results.cells import CellResults
from reports.results.names import LANE_NAMES
from reports.results.speed import Speed
from reports.results.workload import WorkloadResults
from reports.sections import compiling
from reports.text import NOTHING, comma_list, details, escape, estimate, number, plural, table

PHASES = tuple(TimingsModel.model_fields)


def part(workload: WorkloadResults) -> Iterator[str]:
    """Yield times per step, gaps, compiling and phases; nothing if no cell has a lane."""
    cells = workload.cells
    rows = [row for results in cells for row in lane_rows(results)]
    if not rows:
        return
    headers = ["configuration", "timed", "milliseconds per step", "n", "sampled in each trial"]
    yield "### Time per step"
    yield table(headers, rows, "milliseconds per step, n")
    yield (
        "Step with wait: single steps, each waited for; percentiles of the steps of all trials. "
        "Tutorial pipeline: the input pipeline of a beginner's tutorial, timed with the step."
    )
    yield from gaps(cells)
    yield from compiling.part(workload)
    yield from phases(cells)


def lane_rows(results: CellResults) -> Iterator[list[str]]:
    """Yield a row per lane and quantile that the cell has."""
    speed, sample_texts = results.speed, samples(results)
    if speed is None:
        return
    for lane, part, value in (
        ("native", "", speed.native_seconds),
        ("step", "", speed.step_seconds),
        ("latency", ", median", speed.latency_seconds),
        ("latency", ", 95th percentile", pooled_estimate(speed, speed.latency_p95_seconds)),
        ("latency", ", 99th percentile", pooled_estimate(speed, speed.latency_p99_seconds)),
        ("tutorial", "", speed.tutorial_seconds),
        *lanes_of_all(results),
    ):
        if value is not None:
            timed = f"{LANE_NAMES[lane]}{part}"
            sample = sample_texts.get(lane, NOTHING)
            yield [escape(results.title), timed, estimate(value, 1e3), str(value.n), sample]


def pooled_estimate(speed: Speed, value: float | None) -> Estimate | None:
    """Return a quantile over the steps of all trials, which has no interval over trials."""
    if value is None or speed.latency_seconds is None:
        return None
    return Estimate(value=value, low=None, high=None, n=speed.latency_seconds.n)


def lanes_of_all(results: CellResults) -> list[tuple[str, str, Estimate | None]]:
    """Return native and step over all trials; nothing if no trial was repeated."""
    speed = results.speed_of_all
    if speed is None:
        return []
    return [
        ("native", ", repeated trials too", speed.native_seconds),
        ("step", ", repeated trials too", speed.step_seconds),
    ]


def samples(results: CellResults) -> dict[str, str]:
    """Return the samples of a trial of this cell by lane: `12 blocks of 32 steps`."""
    by_lane: dict[str, dict[str, None]] = {}
    for record in results.good_records("timing"):
        for lane, text in samples_of(record):
            # if trials differ, all values are listed
            by_lane.setdefault(lane, {})[text] = None
    return {lane: comma_list(texts) for lane, texts in by_lane.items()}


def samples_of(record: Record) -> Iterator[tuple[str, str]]:
    lanes = record.lanes
    if lanes is None:
        return
    if lanes.step is not None:
        step = lanes.step
        yield "step", f"{plural(len(step.block_seconds), 'block')} of {step.steps_per_block} steps"
    if lanes.latency is not None:
        yield "latency", plural(len(lanes.latency.step_seconds), "step")
    if lanes.native is not None:
        native = lanes.native
        long = f"{plural(len(native.slice_seconds), 'slice')} of {native.steps_per_slice}"
        short = f"{len(native.short_slice_seconds)} of {native.steps_per_short_slice}"
        yield "native", f"{long} and {short} steps"
    if lanes.tutorial is not None:
        slices = plural(len(lanes.tutorial.slice_seconds), "slice")
        yield "tutorial", f"{slices} of {lanes.tutorial.steps_per_slice} steps"


def gaps(cells: Sequence[CellResults]) -> Iterator[str]:
    """Yield the ratios of two lanes of the same trial: what a lane costs over another."""
    rows = [
        [
            escape(results.title),
            estimate(speed.observer_effect),
            estimate(speed.loop_overhead),
            estimate(speed.pipeline_cost),
        ]
        for results in cells
        if (speed := results.speed) is not None
    ]
    headers = [
        "configuration", "step with wait / step", "full loop / step", "tutorial / full loop",
    ]  # fmt: skip
    yield (
        "What waiting for every step, the framework's own loop, and a tutorial's input pipeline "
        "add, as ratios of times within a trial:"
    )
    yield table(headers, rows, ",".join(headers[1:]))


def phases(cells: Sequence[CellResults]) -> Iterator[str]:
    """Yield the median seconds of each phase of a timing trial: one column per cell."""
    timed = [results for results in cells if results.good_records("timing")]
    rows = [
        [
            name.removesuffix("_seconds").replace("_", " "),
            *(phase(results, name) for results in timed),
        ]
        for name in PHASES
    ]
    headers = ["phase", *(escape(results.title) for results in timed)]
    shown = [row for row in rows if set(row[1:]) != {NOTHING}]
    yield details(
        "Where a timing trial's time goes (median seconds)",
        table(headers, shown, ",".join(headers[1:])),
    )


def phase(results: CellResults, name: str) -> str:
    """Return the median seconds of one phase over the timing trials of a cell."""
    seconds = [getattr(record.timings, name) for record in results.good_records("timing")]
    values = [value for value in seconds if value is not None]
    return number(median(values)) if values else NOTHING
