"""All cells of a workload, the fastest first, against Keras on TensorFlow in its default mode."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from bench.record.calibration import CalibrationModel
from bench.record.quantities import native_seconds, step_seconds
from bench.record.selection import Quantity
from bench.stats import Estimate
from reports.results.cells import CellResults, workloads
from reports.results.names import framework
from reports.results.report import Report
from reports.results.speed import paired_ratio
from reports.results.utilization import own_products_seconds
from reports.text import NOTHING, escape, estimate, number, table

REFERENCE = "keras-tensorflow"
HEADERS = [
    "network", "configuration", "full loop ms", "full loop, times as fast", "step ms",
    "step, times as fast", "% of product", "% of own products",
]  # fmt: skip


def section(report: Report) -> Iterator[str]:
    """Yield the table; nothing for a run of a single mode, for which the verdicts suffice."""
    timed = [
        results
        for results in report.cells
        if results.speed is not None and not results.has_failed_training
    ]
    if len({results.cell.execution.mode for results in timed}) < 2:
        return
    shares = {limit.results.cell: limit.share_of_product for limit in report.limits}
    rows = [
        [
            *row(results, timed, shares.get(results.cell)),
            own_products_share(results, report.run.calibration),
        ]
        for results in sort_by_speed(timed)
    ]
    yield "### Every mode, the fastest first"
    yield table(HEADERS, rows, ",".join(HEADERS[2:]))
    yield (
        f"Times as fast as the full training loop of {framework(REFERENCE)} in its default mode, "
        "on the same device and with the same batch size: median of the ratios within rounds, with "
        "its 95 % interval. A step against that loop: what the program could do against what a "
        "user gets. No verdict is made of these ratios. % of product: the counted operations of "
        "the step against the rate of the large matrix product that was calibrated in this run. "
        "% of own products: the time that the step's products alone take at the best calibrated "
        "rate of their shapes, over the time of the step."
    )


def sort_by_speed(timed: Sequence[CellResults]) -> list[CellResults]:
    """Sort the cells of each workload, the fastest first."""
    names = workloads(timed)
    return sorted(
        timed, key=lambda results: (names.index(results.cell.workload), best_seconds(results))
    )


def best_seconds(results: CellResults) -> float:
    """Return the seconds per step of the cell's faster lane; infinite if it has neither."""
    speed = results.speed
    lanes = [] if speed is None else [speed.native_seconds, speed.step_seconds]
    return min((lane.value for lane in lanes if lane is not None), default=float("inf"))


def row(results: CellResults, timed: Sequence[CellResults], share: float | None) -> list[str]:
    speed, reference = results.speed, reference_of(results, timed)
    assert speed is not None, "the section chose it for that"
    return [
        escape(results.cell.workload),
        escape(results.title),
        estimate(speed.native_seconds, 1e3),
        estimate(speed_ratio(reference, results, native_seconds)),
        estimate(speed.step_seconds, 1e3),
        estimate(speed_ratio(reference, results, step_seconds)),
        NOTHING if share is None else number(100 * share),
    ]


def own_products_share(results: CellResults, calibration: Sequence[CalibrationModel]) -> str:
    """Return the share of a step that its own matrix products need, in percent."""
    speed, seconds = results.speed, own_products_seconds(results, calibration)
    if seconds is None or speed is None or speed.step_seconds is None:
        return NOTHING
    return number(100 * seconds / speed.step_seconds.value)


def reference_of(results: CellResults, timed: Sequence[CellResults]) -> CellResults | None:
    """Return the same cell on Keras and TensorFlow, default mode; None if it was not timed."""
    wanted = replace(results.cell.but(mode="default"), backend=REFERENCE)
    return next((candidate for candidate in timed if candidate.cell == wanted), None)


def speed_ratio(
    reference: CellResults | None, results: CellResults, quantity: Quantity
) -> Estimate | None:
    if reference is None:
        return None
    return paired_ratio(reference.ranked_records, results.ranked_records, quantity)
