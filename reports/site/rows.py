"""The table of all runs' cells, with the figures of the reports' own tables."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from bench.stats import Estimate
from reports.compare import ComparedRun
from reports.results.summary import SummaryRow, rows_of
from reports.sections.columns import named
from reports.sections.summary import DIFFERS, supported, trials
from reports.site.document import inline
from reports.site.runs import link, machine
from reports.text import NOTHING, estimate, number, percent

FILTERS = ("workload", "backend", "device", "run")
NUMBERS = ("native ms/step", "step ms/step", "samples/s", "test accuracy", "n")
COLUMNS = (*FILTERS[:3], *NUMBERS, FILTERS[3])


@dataclass(frozen=True, kw_only=True)
class Shown:
    """What stands in the table, and the number that it is sorted by; None where it is none."""

    text: Markup
    value: float | None = None


@dataclass(frozen=True, kw_only=True)
class CellRow:
    """A row; `machine` is what a search finds too."""

    machine: str
    cells: tuple[Shown, ...]


def cell_rows(runs: Sequence[ComparedRun]) -> list[CellRow]:
    """Run by run, in each as its report has them."""
    return [
        CellRow(
            machine=inline(machine(one)).striptags(),
            cells=(*names(row), *figures(row), Shown(text=link(one))),
        )
        for one in runs
        for row in supported(rows_of(one.cells))
    ]


def names(row: SummaryRow) -> Iterator[Shown]:
    for text in named(row.results):
        yield Shown(text=inline(text))


def figures(row: SummaryRow) -> Iterator[Shown]:
    """In the order of `NUMBERS`."""
    speed = row.speed
    yield time(None if speed is None else speed.native_seconds)
    yield time(None if speed is None else speed.step_seconds)
    samples = None if speed is None else speed.samples_per_second
    yield Shown(text=inline(number(samples)), value=samples)
    yield test_accuracy(row)
    yield Shown(text=inline(trials(row)), value=None if speed is None else speed.trials)


def time(seconds: Estimate | None) -> Shown:
    """Milliseconds with their interval."""
    value = None if seconds is None else seconds.value
    return Shown(text=inline(estimate(seconds, 1e3)), value=value)


def test_accuracy(row: SummaryRow) -> Shown:
    """With the mark of a training that was not the published one."""
    if row.accuracy is None:
        return Shown(text=inline(NOTHING))
    value = row.accuracy.test_accuracy
    mark = "" if row.as_published else f" {DIFFERS}"
    return Shown(text=inline(percent(value) + mark), value=value)


def choices(rows: Sequence[CellRow], column: str) -> list[str]:
    """What a filter of this column offers, in the order of the table."""
    place = COLUMNS.index(column)
    return list(dict.fromkeys(row.cells[place].text.striptags() for row in rows))
