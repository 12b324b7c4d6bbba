"""A run's report: `report.md` and its figures, from `run.json` and the records alone."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path

from bench.errors import WriteError
from bench.files import write_atomically
from bench.record import Record
from bench.run_file import RunModel, read_records, read_run
from reports import (
    citing,
    distribution,
    equivalence,
    fastest,
    headline,
    limits,
    machine,
    method,
    parity,
    power,
    ranking,
    reaching,
    summary,
    sweep,
    tax,
    verdicts,
    whole_training,
    workload,
)
from reports.cells import CellResults, group, workloads
from reports.confusion_figure import confusion_figures
from reports.distribution_figure import distribution_figures
from reports.figures import all_figures, step_time_file, timed_by_device
from reports.gallery import galleries
from reports.png import described
from reports.roofline import rooflines
from reports.sweep_figure import sweep_figures
from reports.tables import SummaryRow, rows_of
from reports.tax_figure import tax_figures
from reports.text import image, images
from reports.whole_training_figure import phases_figures

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
    pairs = ranking.rank(run, cells)
    trained = equivalence.accuracy_pairs(run, cells)
    first = list(headline.headline(run, pairs, trained))
    blocks = chain(
        summary.title(run),
        summary.stamps(run, cells),
        first,
        summary.summary(run, cells, pairs, headed=bool(first)),
        summary.accuracy_table(rows),
        summary.speed_table(run, rows),
        step_time_images(rows),
        verdicts.section(run, cells, pairs),
        equivalence.section(trained),
        reaching.section(rows),
        fastest.section(cells, run.calibration),
        summary.without_figures(run, cells),
        chain.from_iterable(
            workload.section(name, [row for row in rows if row.results.cell.workload == name])
            for name in workloads(cells)
        ),
        distribution.section(cells),
        whole_training.section(cells),
        tax.section(cells, run.calibration),
        sweep.section(cells),
        limits.section(cells, run.calibration),
        power.section(cells),
        machine.machine(run, records),
        machine.settings(cells),
        parity.section(cells),
        method.method(run, cells),
        method.repeat(run, cells),
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
