"""A run's report: `report.md` and its figures, from `run.json` and the records alone."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path

from bench.errors import WriteError
from bench.files import write_atomically
from bench.record import Record
from bench.record.run import RunModel, read_run
from bench.record.stored import read_records
from reports.drawing.batch_sweep import sweep_figures
from reports.drawing.confusion import confusion_figures
from reports.drawing.framework_tax import tax_figures
from reports.drawing.gallery import galleries
from reports.drawing.png import described
from reports.drawing.step_spread import distribution_figures
from reports.drawing.step_times import all_figures, step_time_file, timed_by_device
from reports.drawing.training_time import phases_figures
from reports.drawing.utilization import rooflines
from reports.results.accuracy_verdicts import accuracy_pairs
from reports.results.cells import CellResults, group, workloads
from reports.results.speed_verdicts import rank
from reports.results.summary import SummaryRow, rows_of
from reports.sections import (
    accuracy_verdicts,
    batch_sweep,
    citing,
    every_mode,
    framework_tax,
    headline,
    machine,
    method,
    missing,
    parity,
    power,
    reproduce,
    settings,
    speed_verdicts,
    step_spread,
    summary,
    time_to_accuracy,
    training_time,
    utilization,
    workload,
)
from reports.text import image, images

REPORT_FILE = "report.md"
FIGURES = "figures"


def write_report(folder: Path) -> Path:
    """Write `report.md` and `figures/*.png` into a run's folder; returns the path of the report.

    Takes the records that exist, so it serves a run that was interrupted as well. Figures of an
    earlier report go. Raises `RecordError` for a damaged run or record, `WriteError`.
    """
    run = read_run(folder)
    records = tuple(read_records(folder, run))
    rows = rows_of(group(run, records))
    report = folder / REPORT_FILE
    text = compose(run, records, rows)
    # figures first: whenever it is read, a report links to figures that exist
    write_figures(figures_of(run, rows, text), folder / FIGURES)
    write_atomically(report, text.encode())
    return report


def figures_of(run: RunModel, rows: Sequence[SummaryRow], text: str) -> Iterator[tuple[str, bytes]]:
    """File name and PNG of every figure; its alternative in the report is its description."""
    stamp = summary.SMOKE if run.profile == "smoke" else ""
    shown = images(text)
    for name, content in figures(run, rows, stamp):
        yield name, described(content, shown.get(f"{FIGURES}/{name}", ""))


def figures(run: RunModel, rows: Sequence[SummaryRow], stamp: str) -> Iterator[tuple[str, bytes]]:
    """File name and PNG of everything that the report shows."""
    cells: list[CellResults] = [row.results for row in rows]
    yield from all_figures(rows, stamp)
    yield from distribution_figures(cells, stamp)
    yield from phases_figures(cells, stamp)
    yield from rooflines(cells, run.calibration, stamp)
    yield from tax_figures(cells, run.calibration, stamp)
    yield from sweep_figures(cells, stamp)
    yield from confusion_figures(cells, stamp)
    yield from galleries(cells, stamp)


def write_figures(figures: Iterable[tuple[str, bytes]], folder: Path) -> None:
    written = set()
    for name, content in figures:
        write_atomically(folder / name, content)
        written.add(name)
    # an earlier report may have drawn a cell that has failed since
    for stale in sorted(folder.glob("*.png")):
        if stale.name not in written:
            remove(stale)


def remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise WriteError(f"cannot remove {path}: {error.strerror or error}") from error


def render(run: RunModel, records: Iterable[Record]) -> str:
    """The text of the report, its figures only linked; the same records give the same text."""
    records = tuple(records)
    return compose(run, records, rows_of(group(run, records)))


def compose(run: RunModel, records: Sequence[Record], rows: Sequence[SummaryRow]) -> str:
    """The report's parts in their order: what it is about first, how to repeat it last."""
    cells = [row.results for row in rows]
    pairs = rank(run, cells)
    trained = accuracy_pairs(run, cells)
    first = list(headline.headline(run, pairs, trained))
    blocks = chain(
        summary.title(run),
        summary.stamps(run, cells),
        first,
        summary.summary(run, cells, pairs, headed=bool(first)),
        summary.accuracy_table(rows),
        summary.speed_table(run, rows),
        step_time_images(rows),
        speed_verdicts.section(run, cells, pairs),
        accuracy_verdicts.section(trained),
        time_to_accuracy.section(rows),
        every_mode.section(cells, run.calibration),
        missing.without_figures(run, cells),
        chain.from_iterable(
            workload.section(name, [row for row in rows if row.results.cell.workload == name])
            for name in workloads(cells)
        ),
        step_spread.section(cells),
        training_time.section(cells),
        framework_tax.section(cells, run.calibration),
        batch_sweep.section(cells),
        utilization.section(cells, run.calibration),
        power.section(cells),
        machine.machine(run, records),
        settings.settings(cells),
        parity.section(cells),
        method.method(run, cells),
        reproduce.repeat(run, cells),
        citing.section(run, records),
    )
    return "\n\n".join(blocks) + "\n"


def step_time_images(rows: Sequence[SummaryRow]) -> list[str]:
    return [
        image(
            f"Bars of the time per step on {device}, by workload and backend, for the native and "
            "the step lane; the numbers are in the table above",
            f"{FIGURES}/{step_time_file(device)}",
        )
        for device in timed_by_device([row.results for row in rows])
    ]
