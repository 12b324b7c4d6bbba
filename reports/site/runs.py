"""The runs of a site, each read once for all pages."""

from pathlib import Path
from urllib.parse import quote

from markupsafe import Markup

from bench.errors import RecordError, UsageError
from bench.record.run import RUN_FILE
from reports.compare import ComparedRun, load_run
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


def report_pages(folder: Path) -> list[Path]:
    """Return the Markdown pages of a run's report, the report itself first.

    Raises `RecordError` if there is no report.
    """
    first = folder / REPORT_FILE
    if not first.exists():
        raise RecordError(
            f"cannot read {first}: no such file. Write it with: samestep report {folder}"
        )
    return [first, *sorted(path for path in folder.glob("*.md") if path != first)]


def page_text(page: Path) -> str:
    """Read the Markdown of a page. Raises `RecordError` if it can't be read."""
    try:
        return page.read_text(encoding="utf-8")
    except OSError as error:
        raise RecordError(f"cannot read {page}: {error.strerror}") from error


def html_name(page: Path) -> str:
    """Return the name of the HTML page of a Markdown page."""
    return "index.html" if page.name == REPORT_FILE else f"{page.stem}.html"


def machine(compared: ComparedRun) -> str:
    """Name the machine in one line of Markdown."""
    return escape(hardware(compared.run))


def link(compared: ComparedRun) -> Markup:
    """Link from the index to a run's page."""
    target = quote(f"{compared.name}/index.html")
    return Markup('<a href="{}">{}</a>').format(target, compared.name)
