"""The report of a run: `report.md` and its figures, from `run.json` and the records alone."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from bench.errors import WriteError
from bench.files import write_atomically
from bench.record.run import read_run
from bench.record.stored import read_records
from reports.drawing import FIGURES
from reports.drawing.png import add_description
from reports.results.report import Report
from reports.sections import SECTIONS
from reports.text import FIGURE_FOLDER, alternatives

REPORT_FILE = "report.md"


def write_report(folder: Path) -> Path:
    """Write `report.md` and `figures/*.png` into a run's folder; return the path of the report.

    It uses the records that exist, so that an interrupted run has a report too. Figures of an
    earlier report are removed. Raises `RecordError` for a damaged run or record, `WriteError`.
    """
    run = read_run(folder)
    report = Report(run, tuple(read_records(folder, run)))
    text = compose(report)
    # figures first, so that at any moment a report links to figures that exist
    write_figures(figures(report, text), folder / FIGURE_FOLDER)
    write_atomically(folder / REPORT_FILE, text.encode())
    return folder / REPORT_FILE


def compose(report: Report) -> str:
    """Return the text of the report, with links to figures; the same records give the same text."""
    return "\n\n".join(block for section in SECTIONS for block in section(report)) + "\n"


def figures(report: Report, text: str) -> Iterator[tuple[str, bytes]]:
    """Yield file name and PNG of every figure; its alternative in `text` is its description."""
    descriptions = alternatives(text)
    for draw in FIGURES:
        for name, content in draw(report):
            yield name, add_description(content, descriptions.get(f"{FIGURE_FOLDER}/{name}", ""))


def write_figures(figures: Iterable[tuple[str, bytes]], folder: Path) -> None:
    """Write these figures into the folder, and remove all other PNGs from it."""
    written = set()
    for name, content in figures:
        write_atomically(folder / name, content)
        written.add(name)
    # an earlier report may have drawn a cell that has failed since
    for stale in sorted(folder.glob("*.png")):
        if stale.name not in written:
            remove(stale)


def remove(path: Path) -> None:
    """Remove a file, unless it is gone already. Raises `WriteError`."""
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise WriteError(f"cannot remove {path}: {error.strerror or error}") from error
