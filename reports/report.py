"""The report of a run: its pages and figures, from `run.json` and the records alone."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from bench.errors import UsageError, WriteError
from bench.files import write_atomically
from bench.record.run import RunModel, read_run
from bench.record.stored import read_records
from reports.drawing.files import SUFFIXES, add_description
from reports.drawing.order import FIGURES
from reports.results.report import Report
from reports.sections.contents import DETAILS_FILE, network_file
from reports.sections.order import DETAILS, SUMMARY
from reports.sections.workload import page as network_page
from reports.text import FIGURE_FOLDER, alternatives, escape

REPORT_FILE = "report.md"
NETWORK_PAGES = "network-*.md"


def write_report(folder: Path, baseline: str | None = None, url: str = "") -> Path:
    """Write the pages and the figures into a run's folder; return the path of `report.md`.

    Speeds are shown against the backend `baseline`; None takes the usual one. `url` is the address
    at which the run is published, for its citation. It uses the records
    that exist, so that an interrupted run has a report too. Figures and pages of an earlier report
    are removed. Raises `RecordError` for a damaged run or record, `UsageError` for an unknown
    baseline, `WriteError`.
    """
    run = read_run(folder)
    report = Report(run, tuple(read_records(folder, run)), known_backend(run, baseline), url)
    texts = pages(report)
    # figures first, so that at any moment a page links to figures that exist
    write_figures(figures(report, "".join(texts.values())), folder / FIGURE_FOLDER)
    for name, text in reversed(texts.items()):
        write_atomically(folder / name, text.encode())
    for path in folder.glob(NETWORK_PAGES):
        if path.name not in texts:
            remove(path)
    return folder / REPORT_FILE


def known_backend(run: RunModel, name: str | None) -> str | None:
    """Return the name of a backend of the run; raises `UsageError` if the run has none of it."""
    names = sorted({trial.cell.backend for trial in run.trials})
    if name is not None and name not in names:
        raise UsageError(
            f"the run has no such backend. Expected: {', '.join(names)}. Received: {name!r}"
        )
    return name


def pages(report: Report) -> dict[str, str]:
    """Return the text of each page by its file name, the report first.

    The same records give the same texts.
    """
    return {
        REPORT_FILE: join_blocks(block for section in SUMMARY for block in section(report)),
        DETAILS_FILE: join_blocks([
            f"# Details of {escape(report.run.run_id)}",
            *(block for section in DETAILS for block in section(report)),
        ]),
        **{
            network_file(workload.name): join_blocks(network_page(workload))
            for workload in report.workloads
        },
    }  # fmt: skip


def join_blocks(blocks: Iterable[str]) -> str:
    """Return the blocks as one text, with an empty line between them."""
    return "\n\n".join(blocks) + "\n"


def figures(report: Report, text: str) -> Iterator[tuple[str, bytes]]:
    """Yield file name and bytes of every picture; its alternative in `text` is its description."""
    return describe((picture for draw in FIGURES for picture in draw(report)), text)


def describe(pictures: Iterable[tuple[str, bytes]], text: str) -> Iterator[tuple[str, bytes]]:
    """Yield file name and bytes of each picture, with its alternative in `text`.

    A PNG and the SVG beside it are one figure, with one alternative.
    """
    descriptions = {stem(path): words for path, words in alternatives(text).items()}
    for name, content in pictures:
        words = descriptions.get(stem(f"{FIGURE_FOLDER}/{name}"), "")
        yield name, add_description(content, words)


def stem(path: str) -> str:
    """Return a path without its suffix."""
    return path.rpartition(".")[0]


def write_figures(figures: Iterable[tuple[str, bytes]], folder: Path) -> None:
    """Write these figures into the folder, and remove all other pictures from it."""
    written = set()
    for name, content in figures:
        write_atomically(folder / name, content)
        written.add(name)
    # an earlier report may have drawn a cell that has failed since
    for path in sorted(folder.glob("*")):
        if path.suffix in SUFFIXES and path.name not in written:
            remove(path)


def remove(path: Path) -> None:
    """Remove a file, unless it is gone already. Raises `WriteError`."""
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise WriteError(f"cannot remove {path}: {error.strerror or error}") from error
