"""The runs that a site is made of, each read once for all pages."""

from pathlib import Path
from urllib.parse import quote

from markupsafe import Markup

from bench.errors import RecordError, UsageError
from bench.record.run import RUN_FILE, read_run
from bench.record.stored import read_records
from reports.compare import ComparedRun
from reports.publishing.index import measured
from reports.report import REPORT_FILE
from reports.results.cells import group
from reports.results.machine import hardware
from reports.text import escape


def read_all(directory: Path) -> tuple[ComparedRun, ...]:
    """The runs in the sub-folders, the newest first, under the names of their folders."""
    folders = sorted(path.parent for path in directory.glob(f"*/{RUN_FILE}"))
    if not folders:
        raise UsageError(f"no run to show. Expected: {RUN_FILE} in sub-folders of {directory}")
    return tuple(sorted(map(read, folders), key=lambda one: one.run.created, reverse=True))


def read(folder: Path) -> ComparedRun:
    run = read_run(folder)
    return ComparedRun(name=folder.name, run=run, cells=group(run, read_records(folder, run)))


def report_text(folder: Path) -> str:
    """The Markdown of a run's report as it stands on disk."""
    path = folder / REPORT_FILE
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise RecordError(
            f"cannot read {path}: {error.strerror}. Write it with: samestep report {folder}"
        ) from error


def machine(one: ComparedRun) -> str:
    """The machine in a line of Markdown."""
    return escape(hardware(one.run))


def contents(one: ComparedRun) -> str:
    """What a run is about in a line of Markdown, as in the index of published runs."""
    return escape(measured(one.run, [record for cell in one.cells for record in cell.records]))


def link(one: ComparedRun) -> Markup:
    """To a run's page, from the index."""
    target = quote(f"{one.name}/index.html")
    return Markup('<a href="{}">{}</a>').format(target, one.name)
