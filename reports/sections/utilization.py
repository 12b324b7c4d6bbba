"""The report's section on utilization: cells under their roofs, and what the roofs are made of."""

from collections.abc import Iterable, Iterator, Sequence

from bench.record.calibration import AttainedModel, CalibrationModel, ProductModel
from reports.drawing.utilization import roofline_file
from reports.results.cells import CellResults
from reports.results.utilization import Limit, Roof, limits, roofs
from reports.sections.columns import named
from reports.text import MEBIBYTE, details, escape, estimate, image, number, table

GIGA, MEGA, MICRO = 1e9, 1e6, 1e-6
ROW_HEADERS = [
    "workload", "backend", "device", "GFLOP/step", "MB/step", "FLOP/byte", "GFLOP/s",
    "% of product", "% of roof", "part of the roof",
]  # fmt: skip
MEANING = (
    "GFLOP/step and MB/step are counted from the layers by the rules at the top of "
    "`bench/work.py`, so they are the same for every backend: a multiply-add is 2 operations, and "
    "of bytes only those are counted that must move when no cache keeps an array. GFLOP/s is this "
    "count over the time per step of the step lane. % of product compares it with the large "
    "product; % of roof with the lower of two bounds, the large product and FLOP/byte times the "
    "bandwidth, and the last column says which one that is."
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


def section(cells: Sequence[CellResults], calibration: Sequence[CalibrationModel]) -> Iterator[str]:
    """Nothing for a run that was not calibrated."""
    if not calibration:
        return
    yield "## How near to the machine's limits"
    yield from under_roofs(limits(cells, calibration))
    yield "### What was calibrated"
    for one in roofs(calibration).values():
        yield from calibrated(one, calibration)
    yield from missing(calibration)


def under_roofs(found: Sequence[Limit]) -> Iterator[str]:
    if not found:
        yield "No cell with a time per step on a device that was calibrated."
        return
    yield table(ROW_HEADERS, map(row, found), ",".join(ROW_HEADERS[3:-1]))
    yield MEANING
    yield NOT_MEANT
    for one in dict.fromkeys(limit.roof for limit in found):
        yield image(
            f"Roofline of {one.name}: GFLOP/s of each cell over its FLOP/byte, both axes "
            f"logarithmic, under {reading(one)}; the numbers are in the table above",
            f"figures/{roofline_file(one)}",
        )


def row(one: Limit) -> list[str]:
    return [
        *named(one.results),
        number(one.work.operations / GIGA),
        number(one.work.moved_bytes / MEGA),
        number(one.work.intensity),
        estimate(one.operations_per_second, 1 / GIGA),
        number(100 * one.share_of_product),
        number(100 * one.share_of_roof),
        "bandwidth" if one.under_bandwidth else "product",
    ]


def reading(one: Roof) -> str:
    """The two parts of the roof."""
    return (
        f"{number(one.bytes_per_second / GIGA)} GB/s up to {number(one.ridge)} FLOP/byte and "
        f"{number(one.operations_per_second / GIGA)} GFLOP/s from there on"
    )


def calibrated(one: Roof, calibration: Iterable[CalibrationModel]) -> Iterator[str]:
    """A column for each backend; the workloads' own products on a click."""
    found = {
        escape(c.backend): c.attained
        for c in calibration
        if c.attained is not None and (c.device, c.precision) == (one.device, one.precision)
    }
    yield (
        f"On {escape(one.name)}, the best of the repeats that `run.json` holds. The roof is the "
        f"best of the first two rows: {reading(one)}."
    )
    columns = ",".join(found)
    yield table(["what", "unit", *found], roof_rows(tuple(found.values())), columns)
    own = table(["batch x in x out", *found], dense_rows(tuple(found.values())), columns)
    yield details(f"Products of the dense layers on {escape(one.name)}, GFLOP/s", own)


def roof_rows(found: Sequence[AttainedModel]) -> Iterator[list[str]]:
    first = found[0]
    products = [number(one.large.operations_per_second / GIGA) for one in found]
    yield [f"large product, {shape(first.large)}", "GFLOP/s", *products]
    arrays = f"two arrays of {first.accumulate.array_bytes / MEBIBYTE:g} MiB"
    streams = [number(one.accumulate.bytes_per_second / GIGA) for one in found]
    yield [f"`y += x`, {arrays}", "GB/s", *streams]
    launches = [None if one.launch is None else one.launch.call_seconds / MICRO for one in found]
    if any(launches):
        what = "`y += x` on one value, synchronized after many"
        yield [what, "µs", *map(number, launches)]


def dense_rows(found: Sequence[AttainedModel]) -> Iterator[list[str]]:
    rates = [{p.shape: p.operations_per_second / GIGA for p in one.dense} for one in found]
    for one in sorted({product for products in rates for product in products}):
        yield [" x ".join(map(str, one)), *(number(products.get(one)) for products in rates)]


def shape(product: ProductModel) -> str:
    return " x ".join(map(str, product.shape))


def missing(calibration: Iterable[CalibrationModel]) -> Iterator[str]:
    for one in calibration:
        if one.missing is not None:
            place = f"{escape(one.backend)} on {escape(one.device)}"
            yield f"Not calibrated: {place}: {escape(one.missing)}."
