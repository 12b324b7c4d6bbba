"""List what the published records contain about GPUs, as plain statements.

`python -m scripts.pages.gpu` writes the list into README.md and docs/on-a-gpu.md.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from backends import BACKENDS
from bench.record import Record
from bench.record.quantities import joules_per_step
from bench.spec import MODES, PRECISIONS
from bench.stats import SMALLEST_SAMPLE
from bench.workloads import WORKLOADS
from reports.text import comma_list, plural
from scripts.pages import marked
from scripts.pages.published import good_records, hardware, is_on_gpu

PAGES = (marked.ROOT / "README.md", marked.ROOT / "docs" / "on-a-gpu.md")


@dataclass(frozen=True, slots=True)
class Facts:
    """The good records of GPUs among all published records, by kind, and their dates."""

    certificates: tuple[Record, ...]
    timings: tuple[Record, ...]
    trainings: tuple[Record, ...]
    dates: tuple[str, ...]

    @property
    def records(self) -> tuple[Record, ...]:
        return (*self.certificates, *self.timings, *self.trainings)

    @property
    def rounds(self) -> int:
        """Return the number of rounds that have a timing trial."""
        return len({record.trial.round for record in self.timings})

    @property
    def missing_backends(self) -> list[str]:
        return missing_names(BACKENDS, (record.trial.backend for record in self.records))

    @property
    def untimed_modes(self) -> list[str]:
        return missing_names(MODES, (record.trial.execution.mode for record in self.timings))

    @property
    def untimed_precisions(self) -> list[str]:
        """Return the precisions that have a certificate and no timing trial."""
        certified = {record.trial.execution.precision for record in self.certificates}
        timed = {record.trial.execution.precision for record in self.timings}
        return [name for name in PRECISIONS if name in certified - timed]


def missing_names(names: Iterable[str], present_names: Iterable[str]) -> list[str]:
    present = set(present_names)
    return [name for name in names if name not in present]


def facts() -> Facts:
    dated_records = [(record, date) for record, date in good_records() if is_on_gpu(record)]
    by_kind = {
        kind: tuple(record for record, _ in dated_records if record.trial.kind == kind)
        for kind in ("parity", "timing", "accuracy")
    }
    dates = tuple(sorted({date for _, date in dated_records}))
    return Facts(*by_kind.values(), dates)


def statements(facts: Facts) -> Iterator[str]:
    """Yield one sentence per fact: what was timed, what was certified, what is still missing."""
    where = comma_list(sorted({hardware(record) for record in facts.records}))
    python = comma_list(sorted({record.environment.python for record in facts.records}))
    yield f"Hardware: {where} ({comma_list(facts.dates)}), Python {python}."
    readings = sum(joules_per_step(record) is not None for record in facts.timings)
    yield (
        f"Timed: {plural(len(facts.timings), 'trial')} in {plural(facts.rounds, 'round')}, "
        f"{readings} with an energy reading: {cells(facts.timings)}."
    )
    for precision in PRECISIONS:
        certified = [
            record for record in facts.certificates
            if record.trial.execution.precision == precision
        ]  # fmt: skip
        if certified:
            yield f"Certified in {precision}: {cells(certified)}."
    if facts.rounds < SMALLEST_SAMPLE:
        needed = SMALLEST_SAMPLE
        yield f"No verdict: {facts.rounds} rounds were timed, and a verdict needs {needed}."
    yield f"Modes not timed: {names(facts.untimed_modes)}."
    yield f"Precisions certified and not timed: {names(facts.untimed_precisions)}."
    yield f"Backends not run: {names(facts.missing_backends)}."
    if not facts.trainings:
        yield "No accuracy trial was run."


def cells(records: Iterable[Record]) -> str:
    """Return the backends of each workload: `mlp-512-256 (keras-jax, jax)`."""
    backends: dict[str, set[str]] = {}
    for record in records:
        backends.setdefault(record.trial.workload, set()).add(record.trial.backend)
    return comma_list(
        f"`{workload}` ({comma_list(name for name in BACKENDS if name in backends[workload])})"
        for workload in WORKLOADS
        if workload in backends
    )


def names(values: Iterable[str]) -> str:
    return comma_list(f"`{name}`" for name in values) or "none"


def page(text: str) -> str:
    """Return a page with its statements made from the records."""
    lines = "\n".join(f"- {statement}" for statement in statements(facts()))
    return marked.fill(text, *marked.marks("gpu"), lines)


if __name__ == "__main__":
    for path in PAGES:
        marked.write(path, page)
