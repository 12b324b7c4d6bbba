"""The table "verified on": which cells have really run where, from the published records alone.

`python -m scripts.pages.verified` writes it into docs/verified-on.md.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

from backends import BACKENDS
from bench.files import write_atomically
from bench.record import Record
from bench.record.folder import read_records
from bench.record.run import read_run
from bench.spec import MODES, PRECISIONS
from reports.results.parity import precision_of
from reports.text import NOTHING, escape, listed, table

ROOT = Path(__file__).resolve().parent.parent.parent
PAGE = ROOT / "docs" / "verified-on.md"
PUBLISHED = ROOT / "reports" / "published"
BEGIN, END = "<!-- made by scripts.pages.verified -->", "<!-- end of scripts.pages.verified -->"
DEVICES = ("CPU", "NVIDIA GPU")
HEADERS = ["backend", "mode", "precision", "on", "certificates", "trials", "hardware: dates"]


@dataclass(slots=True)
class Runs:
    """What has run of one combination: how much, and on what dates by hardware."""

    certificates: int = 0
    trials: int = 0
    dates: dict[str, dict[str, None]] = field(default_factory=dict)

    def note(self, record: Record, date: str) -> None:
        if record.trial.kind == "parity":
            self.certificates += 1
        else:
            self.trials += 1
        self.dates.setdefault(hardware(record), {})[date] = None

    @property
    def places(self) -> str:
        return "; ".join(f"{where}: {listed(dates)}" for where, dates in self.dates.items())


def rows() -> Iterator[list[str]]:
    """Every combination that could be asked for; dashes where none has run."""
    found: dict[tuple[str, ...], Runs] = {}
    for record, date in chain.from_iterable(map(published, sorted(PUBLISHED.glob("*/")))):
        how = record.trial.execution
        device = DEVICES[how.device != "cpu"]
        key = (record.trial.backend, how.mode, how.precision, device)
        found.setdefault(key, Runs()).note(record, date)
    for backend in BACKENDS:
        for mode in MODES:
            for precision in PRECISIONS:
                for device in DEVICES:
                    runs = found.get((backend, mode, precision, device))
                    if runs is not None:
                        counts = [
                            str(runs.certificates or NOTHING),
                            str(runs.trials or "never run"),
                        ]
                        yield [backend, mode, precision, device, *counts, escape(runs.places)]
                    elif precision == "float32" and device == "NVIDIA GPU":
                        yield [backend, mode, precision, device, NOTHING, "never run", NOTHING]


def published(folder: Path) -> Iterator[tuple[Record, str]]:
    """The good records of a published run in its cells' own precision, with its date."""
    run = read_run(folder)
    for record in read_records(folder, run):
        if record.status == "ok" and precision_of(record) == record.trial.execution.precision:
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
    return f"{before}{BEGIN}\n\n{table(HEADERS, rows(), 'certificates,trials')}\n\n{END}{after}"


if __name__ == "__main__":
    write_atomically(PAGE, page(PAGE.read_text(encoding="utf-8")).encode())
