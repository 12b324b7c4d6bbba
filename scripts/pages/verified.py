"""Write the table "verified on": which cells have run on what, from the published records alone.

`python -m scripts.pages.verified` writes it into docs/verified-on.md.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from backends import BACKENDS
from bench.record import Record
from bench.spec import MODES, PRECISIONS
from bench.workloads import WORKLOADS
from reports.text import NOTHING, comma_list, escape, table
from scripts.pages import marked
from scripts.pages.published import good_records, hardware, is_on_gpu

PAGE = marked.ROOT / "docs" / "verified-on.md"
DEVICES = ("CPU", "NVIDIA GPU")
HEADERS = ["backend", "mode", "precision", "on", "certificates", "trials", "hardware: dates"]


@dataclass(slots=True)
class Runs:
    """The runs of one combination: the number per workload, and the dates per hardware."""

    certificates: dict[str, int] = field(default_factory=dict)
    trials: dict[str, int] = field(default_factory=dict)
    dates: dict[str, dict[str, None]] = field(default_factory=dict)

    def note(self, record: Record, date: str) -> None:
        counts = self.certificates if record.trial.kind == "parity" else self.trials
        counts[record.trial.workload] = counts.get(record.trial.workload, 0) + 1
        self.dates.setdefault(hardware(record), {})[date] = None

    @property
    def cells(self) -> list[str]:
        places = "; ".join(f"{where}: {comma_list(dates)}" for where, dates in self.dates.items())
        certificates = count_by_workload(self.certificates) or NOTHING
        return [certificates, count_by_workload(self.trials) or "not timed", escape(places)]


def count_by_workload(counts: dict[str, int]) -> str:
    """Return the total and, in brackets, the count per workload, in the workloads' order."""
    if not counts:
        return ""
    parts = comma_list(f"{name} {counts[name]}" for name in WORKLOADS if name in counts)
    return f"{sum(counts.values())} ({parts})"


def rows() -> Iterator[list[str]]:
    """Yield a row per combination that has run, and on a GPU per backend and mode in float32."""
    combinations: dict[tuple[str, ...], Runs] = {}
    for record, date in good_records():
        execution = record.trial.execution
        key = (
            record.trial.backend,
            execution.mode,
            execution.precision,
            DEVICES[is_on_gpu(record)],
        )
        combinations.setdefault(key, Runs()).note(record, date)
    for backend in BACKENDS:
        for mode in MODES:
            for precision in PRECISIONS:
                for device in DEVICES:
                    runs = combinations.get((backend, mode, precision, device))
                    if runs is not None:
                        yield [backend, mode, precision, device, *runs.cells]
                    elif precision == "float32" and device == "NVIDIA GPU":
                        yield [backend, mode, precision, device, NOTHING, "never run", NOTHING]


def page(text: str) -> str:
    """Return the page with its table made from the records."""
    return marked.fill(text, *marked.marks("verified"), table(HEADERS, rows()))


if __name__ == "__main__":
    marked.write(PAGE, page)
