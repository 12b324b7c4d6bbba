"""All cells of a workload, the fastest first, against Keras on TensorFlow in its default mode."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from bench.record.calibration import CalibrationModel
from bench.record.quantities import native_seconds, step_seconds
from bench.record.selection import Quantity
from bench.stats import Estimate
from reports.results.cells import CellResults, workloads
from reports.results.report import Report
from reports.results.speed import paired_ratio
from reports.results.utilization import own_products_seconds
from reports.text import NOTHING, escape, estimate, number, table

REFERENCE = "keras-tensorflow"
HEADERS = [
    "workload", "cell", "native ms", "native, times as fast", "step ms", "step, times as fast",
    "% of product", "% of own products",
]  # fmt: skip


def section(report: Report) -> Iterator[str]:
    """Yield the table; nothing for a run of one mode, whose backends are under Which is faster."""
    timed = [one for one in report.cells if one.speed is not None and not one.has_failed_training]
    if len({one.cell.execution.mode for one in timed}) < 2:
        return
    shares = {one.results.cell: one.share_of_product for one in report.limits}
    rows = [
        [*row(one, timed, shares.get(one.cell)), own_products(one, report.run.calibration)]
        for one in fastest_first(timed)
    ]
    yield "### Every mode, the fastest first"
    yield table(HEADERS, rows, ",".join(HEADERS[2:]))
    yield (
        f"Times as fast: the native lane of {REFERENCE} in its default mode, on the same device "
        "and with the same batch size, over the cell's native or step lane; median of the ratios "
        "within rounds, with its 95 % interval. A step lane against a native one: what the program "
        "could do against what a user of that framework gets. No verdict is made of these ratios. "
        "% of product: the counted operations of the step lane against the rate of the large "
        "matrix product that was calibrated in this run; % of own products: the time that the "
        "products of the step alone take at the best calibrated rate of each one's shape, over "
        "the time of the step."
    )


def fastest_first(timed: Sequence[CellResults]) -> list[CellResults]:
    names = workloads(timed)
    return sorted(timed, key=lambda one: (names.index(one.cell.workload), best(one)))


def best(results: CellResults) -> float:
    """Return the seconds per step of the cell's faster lane; infinite without any."""
    speed = results.speed
    lanes = [] if speed is None else [speed.native_seconds, speed.step_seconds]
    return min((one.value for one in lanes if one is not None), default=float("inf"))


def row(results: CellResults, timed: Sequence[CellResults], share: float | None) -> list[str]:
    speed, known = results.speed, reference_of(results, timed)
    assert speed is not None, "the section chose it for that"
    return [
        escape(results.cell.workload),
        escape(results.name),
        estimate(speed.native_seconds, 1e3),
        estimate(times_as_fast(known, results, native_seconds)),
        estimate(speed.step_seconds, 1e3),
        estimate(times_as_fast(known, results, step_seconds)),
        NOTHING if share is None else number(100 * share),
    ]


def own_products(results: CellResults, calibration: Sequence[CalibrationModel]) -> str:
    """Return the share of a step that its own matrix products take, in percent."""
    speed, seconds = results.speed, own_products_seconds(results, calibration)
    if seconds is None or speed is None or speed.step_seconds is None:
        return NOTHING
    return number(100 * seconds / speed.step_seconds.value)


def reference_of(results: CellResults, timed: Sequence[CellResults]) -> CellResults | None:
    """Return the same cell on Keras and TensorFlow, default mode; None if it was not timed."""
    wanted = replace(results.cell.but(mode="default"), backend=REFERENCE)
    return next((one for one in timed if one.cell == wanted), None)


def times_as_fast(
    known: CellResults | None, results: CellResults, quantity: Quantity
) -> Estimate | None:
    if known is None:
        return None
    return paired_ratio(known.ranked_records, results.ranked_records, quantity)
