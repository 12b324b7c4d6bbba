"""`samestep show`."""

from typing import TYPE_CHECKING

from bench.cli.options import RunFolder
from bench.cli.speed_table import speed_table
from bench.cli.table import paragraph

if TYPE_CHECKING:
    from reports.results.report import Report


def show(folder: RunFolder) -> None:
    """Print a run's table and headline from its records. Needs no framework."""
    from bench.record.run import read_run
    from bench.record.stored import read_records
    from reports.results.impossible import reject_impossible
    from reports.results.report import Report

    run = read_run(folder)
    with reject_impossible(folder):
        print(answer(Report(run, tuple(read_records(folder, run)))))


def answer(report: "Report") -> str:
    """Return the machine, the table if anything was timed, the headline, and the environments."""
    from reports.results.machine import hardware
    from reports.sections import environments
    from reports.sections.headline import sentences

    said = [*sentences(report), *environments.sentences(report)]
    text = "\n".join(map(paragraph, said))
    blocks = (paragraph(hardware(report.run)), speed_table(report), text)
    return printable("\n\n".join(filter(None, blocks)))


def printable(text: str) -> str:
    """Return the lines without control characters, which names in a stranger's records may have."""
    return "".join(letter if letter.isprintable() or letter == "\n" else " " for letter in text)
