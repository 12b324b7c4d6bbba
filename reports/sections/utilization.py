"""The utilization: cells under their roofs, and the calibration that the roofs are made of."""

from collections.abc import Iterable, Iterator, Sequence

from bench.record.calibration import AttainedModel, CalibrationModel, ProductModel
from reports.drawing.utilization import figure_file
from reports.results.report import Report
from reports.results.utilization import Limit, Roof, roofs
from reports.sections.columns import cell_names
from reports.text import MEBIBYTE, details, escape, estimate, figure, number, table

GIGA, MEGA, MICRO = 1e9, 1e6, 1e-6
ROW_HEADERS = [
    "workload", "backend", "device", "GFLOP/step", "MB/step", "FLOP/byte", "GFLOP/s",
    "% of product", "% of roof", "part of the roof",
]  # fmt: skip
MEANING = (
    "GFLOP/step and MB/step are counted from the layers by the rules at the top of "
    "`bench/spec/work.py`, so they are the same for every backend: a multiply-add is 2 "
    "operations, and of bytes only those are counted that must move when no cache keeps an array."
    " GFLOP/s is this count over the time per step of the step lane. % of product compares it "
    "with the large product; % of roof with the lower of two bounds, the large product and "
    "FLOP/byte times the bandwidth, and the last column says which one that is."
)
NOT_MEANT = (
    "What these figures are not: a grade of a backend, or a datasheet's utilization. The roof is "
    "what these frameworks attained in a short look at the beginning of the run; where the "
    "machine's pace has changed since, the shares are off by as much. "
    "A low share says that most of a step goes into what the count leaves out (dispatch, metrics, "
    "second passes over an array, small products); it doesn't say that it could be done without. "
    "Where a cache holds the parameters, less moves than is counted, and a cell may pass 100 %. "
    "Shares don't tell which of two cells is faster; their times do."
)


def section(report: Report) -> Iterator[str]:
    """Yield the cells and the calibration; nothing for a run that was not calibrated."""
    calibration = report.run.calibration
    if not calibration:
        return
    yield "## How near to the machine's limits"
    yield from under_roofs(report.limits)
    yield "### What was calibrated"
    for one in roofs(calibration).values():
        yield from calibrated(one, calibration)
    yield from missing(calibration)


def under_roofs(limits: Sequence[Limit]) -> Iterator[str]:
    """Yield the table of the cells, what it means, and a figure per roof."""
    if not limits:
        yield "No cell with a time per step on a device that was calibrated."
        return
    yield table(ROW_HEADERS, map(row, limits), ",".join(ROW_HEADERS[3:-1]))
    yield MEANING
    yield NOT_MEANT
    for roof in dict.fromkeys(one.roof for one in limits):
        yield figure(
            f"Roofline of {roof.name}: GFLOP/s of each cell over its FLOP/byte, both axes "
            f"logarithmic, under {reading(roof)}; the numbers are in the table above",
            figure_file(roof),
        )


def row(one: Limit) -> list[str]:
    return [
        *cell_names(one.results),
        number(one.work.operations / GIGA),
        number(one.work.moved_bytes / MEGA),
        number(one.work.intensity),
        estimate(one.operations_per_second, 1 / GIGA),
        number(100 * one.share_of_product),
        number(100 * one.share_of_roof),
        "bandwidth" if one.is_bandwidth_bound else "product",
    ]


def reading(roof: Roof) -> str:
    """Return the two parts of the roof in words."""
    return (
        f"{number(roof.bytes_per_second / GIGA)} GB/s up to {number(roof.ridge)} FLOP/byte and "
        f"{number(roof.operations_per_second / GIGA)} GFLOP/s from there on"
    )


def calibrated(roof: Roof, calibration: Iterable[CalibrationModel]) -> Iterator[str]:
    """Yield the calibration behind a roof, one column per backend; own products on a click."""
    attained = {
        escape(one.backend): one.attained
        for one in calibration
        if one.attained is not None and (one.device, one.precision) == (roof.device, roof.precision)
    }
    yield (
        f"On {escape(roof.name)}, the best of the repeats that `run.json` holds. The roof is the "
        f"best of the first two rows: {reading(roof)}."
    )
    backends, columns = ",".join(attained), tuple(attained.values())
    yield table(["what", "unit", *attained], roof_rows(columns), backends)
    own = table(["batch x in x out", *attained], dense_rows(columns), backends)
    yield details(f"Products of the dense layers on {escape(roof.name)}, GFLOP/s", own)


def roof_rows(attained: Sequence[AttainedModel]) -> Iterator[list[str]]:
    first = attained[0]
    products = [number(one.large.operations_per_second / GIGA) for one in attained]
    yield [f"large product, {shape(first.large)}", "GFLOP/s", *products]
    arrays = f"two arrays of {first.accumulate.array_bytes / MEBIBYTE:g} MiB"
    streams = [number(one.accumulate.bytes_per_second / GIGA) for one in attained]
    yield [f"`y += x`, {arrays}", "GB/s", *streams]
    launches = [None if one.launch is None else one.launch.call_seconds / MICRO for one in attained]
    if any(launches):
        what = "`y += x` on one value, synchronized after many"
        yield [what, "µs", *map(number, launches)]


def dense_rows(attained: Sequence[AttainedModel]) -> Iterator[list[str]]:
    rates = [{p.shape: p.operations_per_second / GIGA for p in one.dense} for one in attained]
    for one in sorted({product for products in rates for product in products}):
        yield [" x ".join(map(str, one)), *(number(products.get(one)) for products in rates)]


def shape(product: ProductModel) -> str:
    return " x ".join(map(str, product.shape))


def missing(calibration: Iterable[CalibrationModel]) -> Iterator[str]:
    """Yield what could not be calibrated, with the reason."""
    for one in calibration:
        if one.missing is not None:
            place = f"{escape(one.backend)} on {escape(one.device)}"
            yield f"Not calibrated: {place}: {escape(one.missing)}."
