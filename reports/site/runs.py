"""The runs of a site, each read once for all pages."""

from pathlib import Path
from urllib.parse import quote

from markupsafe import Markup

from bench.errors import RecordError, UsageError
from bench.record.run import RUN_FILE
from reports.compare import ComparedRun, load_run
from reports.publishing import index
from reports.report import REPORT_FILE
from reports.results.machine import hardware
from reports.text import escape


def read_all(directory: Path) -> tuple[ComparedRun, ...]:
    """Read the runs in the sub-folders, newest first, each named after its folder."""
    folders = sorted(path.parent for path in directory.glob(f"*/{RUN_FILE}"))
    if not folders:
        raise UsageError(f"no run to show. Expected: {RUN_FILE} in sub-folders of {directory}")
    runs = [load_run(folder, folder.name) for folder in folders]
    return tuple(sorted(runs, key=lambda compared: compared.run.created, reverse=True))


def report_text(folder: Path) -> str:
    """Read the Markdown of a run's report. Raises `RecordError` if it can't be read."""
    path = folder / REPORT_FILE
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise RecordError(
            f"cannot read {path}: {error.strerror}. Write it with: samestep report {folder}"
        ) from error


def machine(compared: ComparedRun) -> str:
    """Name the machine in one line of Markdown."""
    return escape(hardware(compared.run))


def contents(compared: ComparedRun) -> str:
    """Describe the run in one line of Markdown, as in the index of published runs."""
    records = [record for cell in compared.cells for record in cell.records]
    return escape(index.contents(compared.run, records))


def link(compared: ComparedRun) -> Markup:
    """Link from the index to a run's page."""
    target = quote(f"{compared.name}/index.html")
    return Markup('<a href="{}">{}</a>').format(target, compared.name)
