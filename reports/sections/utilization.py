"""The utilization: cells under their roofs, and the calibration behind the roofs."""

from collections.abc import Iterable, Iterator, Sequence

from bench.record.calibration import AttainedModel, CalibrationModel, ProductModel
from reports.drawing.utilization import figure_file
from reports.results.names import framework
from reports.results.report import Report
from reports.results.utilization import Limit, Roof, roofs
from reports.sections.columns import CELL_HEADERS, cell_names
from reports.text import MEBIBYTE, details, escape, estimate, figure, number, table

GIGA, MEGA, MICRO = 1e9, 1e6, 1e-6
ROW_HEADERS = [
    *CELL_HEADERS, "GFLOP/step", "MB/step", "FLOP/byte", "GFLOP/s",
    "% of product", "% of roof", "part of the roof",
]  # fmt: skip
MEANING = (
    "GFLOP/step and MB/step are counted from the layers by the rules at the top of "
    "`bench/spec/work.py`, so they are the same for every framework: a multiply-add is 2 "
    "operations, and of bytes only those are counted that must move when no cache keeps an array."
    " GFLOP/s is this count over the time of a training step. % of product compares it "
    "with the large product; % of roof with the lower of two bounds, the large product and "
    "FLOP/byte times the bandwidth, and the last column says which one that is."
)
NOT_MEANT = (
    "What these figures are not: a grade of a framework, or a datasheet's utilization. The roof is "
    "what these frameworks attained in a short look at the beginning of the run; if the "
    "machine's pace has changed since, the shares are off by as much. "
    "A low share says that most of a step goes into what the count leaves out (dispatch, metrics, "
    "second passes over an array, small products); it doesn't say that it could be done without. "
    "If a cache holds the parameters, less moves than is counted, and more than 100 % is possible. "
    "Shares don't tell which of two configurations is faster; their times do."
)


def section(report: Report) -> Iterator[str]:
    """Yield the cells and the calibration; nothing for a run that was not calibrated."""
    calibration = report.run.calibration
    if not calibration:
        return
    yield "## How near to the machine's limits"
    yield from limits_table(report.limits)
    yield "### What was calibrated"
    for roof in roofs(calibration).values():
        yield from calibration_tables(roof, calibration)
    yield from missing_calibrations(calibration)


def limits_table(limits: Sequence[Limit]) -> Iterator[str]:
    """Yield the table of the cells, its explanation, and a figure per roof."""
    if not limits:
        yield "No configuration with a time per step on a device that was calibrated."
        return
    yield table(ROW_HEADERS, map(row, limits), ",".join(ROW_HEADERS[3:-1]))
    yield MEANING
    yield NOT_MEANT
    for roof in dict.fromkeys(limit.roof for limit in limits):
        yield figure(
            f"Roofline of {roof.name}: GFLOP/s of each configuration over its FLOP/byte, both axes "
            f"logarithmic, under {reading(roof)}; the numbers are in the table above",
            figure_file(roof),
        )


def row(limit: Limit) -> list[str]:
    return [
        *cell_names(limit.results),
        number(limit.work.operations / GIGA),
        number(limit.work.moved_bytes / MEGA),
        number(limit.work.intensity),
        estimate(limit.operations_per_second, 1 / GIGA),
        number(100 * limit.share_of_product),
        number(100 * limit.share_of_roof),
        "bandwidth" if limit.is_bandwidth_bound else "product",
    ]


def reading(roof: Roof) -> str:
    """Return the two parts of the roof in words."""
    return (
        f"{number(roof.bytes_per_second / GIGA)} GB/s up to {number(roof.ridge)} FLOP/byte and "
        f"{number(roof.operations_per_second / GIGA)} GFLOP/s from there on"
    )


def calibration_tables(roof: Roof, calibration: Iterable[CalibrationModel]) -> Iterator[str]:
    """Yield the calibration behind a roof, a column per backend; own products in a closed block."""
    attained = {
        escape(framework(entry.backend)): entry.attained
        for entry in calibration
        if entry.attained is not None
        and (entry.device, entry.precision) == (roof.device, roof.precision)
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
    products = [number(rates.large.operations_per_second / GIGA) for rates in attained]
    yield [f"large product, {shape(first.large)}", "GFLOP/s", *products]
    arrays = f"two arrays of {first.accumulate.array_bytes / MEBIBYTE:g} MiB"
    streams = [number(rates.accumulate.bytes_per_second / GIGA) for rates in attained]
    yield [f"`y += x`, {arrays}", "GB/s", *streams]
    launches = [
        None if rates.launch is None else rates.launch.call_seconds / MICRO for rates in attained
    ]
    if any(launches):
        what = "`y += x` on one value, synchronized after many"
        yield [what, "µs", *map(number, launches)]


def dense_rows(attained: Sequence[AttainedModel]) -> Iterator[list[str]]:
    columns = [
        {product.shape: product.operations_per_second / GIGA for product in rates.dense}
        for rates in attained
    ]
    for sizes in sorted({sizes for column in columns for sizes in column}):
        yield [" x ".join(map(str, sizes)), *(number(column.get(sizes)) for column in columns)]


def shape(product: ProductModel) -> str:
    return " x ".join(map(str, product.shape))


def missing_calibrations(calibration: Iterable[CalibrationModel]) -> Iterator[str]:
    """Yield the backends that could not be calibrated, with the reason."""
    for entry in calibration:
        if entry.missing is not None:
            place = f"{escape(framework(entry.backend))} on {escape(entry.device)}"
            yield f"Not calibrated: {place}: {escape(entry.missing)}."
