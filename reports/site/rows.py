"""The table of the cells of all runs, with the figures of the reports' tables."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from bench.stats import Estimate
from reports.compare import ComparedRun
from reports.results.summary import SummaryRow, rows_of
from reports.sections.columns import CELL_HEADERS, DIFFERS, cell_names
from reports.sections.summary import supported_rows, trials
from reports.site.document import inline_html
from reports.site.runs import link, machine
from reports.text import NOTHING, estimate, number, percent

FILTERS = (*CELL_HEADERS, "run")
NUMBERS = ("images/s", "full loop ms/step", "step alone ms/step", "test accuracy", "n")
COLUMNS = (*CELL_HEADERS, *NUMBERS, "run")


@dataclass(frozen=True, kw_only=True)
class TableCell:
    """A text of the table, and the number by which it is sorted; None if it is no number."""

    text: Markup
    value: float | None = None


@dataclass(frozen=True, kw_only=True)
class CellRow:
    """A row of the table; the page's search also looks in `machine`, which is not shown."""

    machine: str
    cells: tuple[TableCell, ...]


def cell_rows(runs: Sequence[ComparedRun]) -> list[CellRow]:
    """Return the rows, run by run, in the order of each run's report."""
    return [
        CellRow(
            machine=inline_html(machine(run)).striptags(),
            cells=(*names(row), *figures(row), TableCell(text=link(run))),
        )
        for run in runs
        for row in supported_rows(rows_of(run.cells))
    ]


def names(row: SummaryRow) -> Iterator[TableCell]:
    """Yield network, framework and device."""
    for text in cell_names(row.results):
        yield TableCell(text=inline_html(text))


def figures(row: SummaryRow) -> Iterator[TableCell]:
    """Yield the figures in the order of `NUMBERS`."""
    speed = row.speed
    images = None if speed is None else speed.samples_per_second
    yield TableCell(text=inline_html(number(images)), value=images)
    yield time(None if speed is None else speed.native_seconds)
    yield time(None if speed is None else speed.step_seconds)
    yield test_accuracy(row)
    yield TableCell(text=inline_html(trials(row)), value=None if speed is None else speed.trials)


def time(seconds: Estimate | None) -> TableCell:
    """Return the milliseconds with their interval."""
    value = None if seconds is None else seconds.value
    return TableCell(text=inline_html(estimate(seconds, 1e3)), value=value)


def test_accuracy(row: SummaryRow) -> TableCell:
    """Return the accuracy, with a mark if the training differs from the published one."""
    if row.accuracy is None:
        return TableCell(text=inline_html(NOTHING))
    value = row.accuracy.test_accuracy
    mark = "" if row.matches_published else f" {DIFFERS}"
    return TableCell(text=inline_html(percent(value) + mark), value=value)


def choices(rows: Sequence[CellRow], column: str) -> list[str]:
    """List the values that a filter of this column offers, in the order of the table."""
    place = COLUMNS.index(column)
    return list(dict.fromkeys(row.cells[place].text.striptags() for row in rows))
