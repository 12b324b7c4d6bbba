"""The table "verified on": which cells have really run where, from the published records alone.

`python -m tests.verified` writes it into docs/verified-on.md.
"""

from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from backends import BACKENDS
from bench.files import write_atomically
from bench.record import Record
from bench.run_file import read_records, read_run
from bench.spec import MODES, PRECISIONS
from reports.text import escape, listed, table

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "verified-on.md"
PUBLISHED = ROOT / "reports" / "published"
BEGIN, END = "<!-- made by tests.verified -->", "<!-- end of tests.verified -->"
DEVICES = ("CPU", "NVIDIA GPU")
HEADERS = ["backend", "mode", "precision", "on", "trials", "hardware, date"]


def rows() -> Iterator[list[str]]:
    """Every combination that could be asked for; dashes where none has run."""
    found: dict[tuple[str, ...], list[str]] = {}
    for record, date in chain.from_iterable(map(published, sorted(PUBLISHED.glob("*/")))):
        how = record.trial.execution
        device = DEVICES[how.device != "cpu"]
        key = (record.trial.backend, how.mode, how.precision, device)
        found.setdefault(key, []).append(f"{hardware(record)}, {date}")
    for backend in BACKENDS:
        for mode in MODES:
            for precision in PRECISIONS:
                for device in DEVICES:
                    where = found.get((backend, mode, precision, device), [])
                    if where or (precision == "float32" and device == "NVIDIA GPU"):
                        places = escape(listed(dict.fromkeys(where)))
                        count = str(len(where)) if where else "never run"
                        yield [backend, mode, precision, device, count, places]


def published(folder: Path) -> Iterator[tuple[Record, str]]:
    """The good timing and accuracy records of a published run, with its date."""
    run = read_run(folder)
    for record in read_records(folder, run):
        if record.status == "ok" and record.trial.kind != "parity":
            yield record, run.created[:10]


def hardware(record: Record) -> str:
    found = record.environment
    if record.trial.execution.device == "cpu" or not found.gpus:
        return f"{found.cpu} ({found.cores_logical} cores)"
    return found.gpus[0].name


def page(text: str) -> str:
    """The page with its table made anew."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{table(HEADERS, rows(), 'trials')}\n\n{END}{after}"


if __name__ == "__main__":
    write_atomically(PAGE, page(PAGE.read_text(encoding="utf-8")).encode())
