"""One workload: its definition, what was published of it, and its trainings."""

from collections.abc import Iterator, Sequence

from bench.record import Record
from bench.spec import PublishedResult, Workload
from bench.workloads import WORKLOADS
from reports.results.cells import CellResults
from reports.results.summary import SummaryRow
from reports.sections import lanes, more_epochs, predictions
from reports.sections.training import training
from reports.text import (
    count,
    escape,
    listed,
    percent,
    table,
)


def section(name: str, rows: Sequence[SummaryRow]) -> list[str]:
    """All about one workload. `rows` are those of its cells."""
    workload = WORKLOADS.get(name)
    cells = [row.results for row in rows]
    return [
        f"## {escape(name)}",
        *definition(workload),
        *layers(cells),
        *lanes.section(cells),
        *training(name, rows),
        *more_epochs.section(name, rows),
        *predictions.section(name, cells),
        *published(workload),
    ]


def definition(workload: Workload | None) -> Iterator[str]:
    if workload is None:
        yield "This version of samestep does not know this workload: no definition to show."
        return
    how = workload.optimizer
    yield (
        f"{count(workload.parameter_total)} parameters; {how.name}, learning rate "
        f"{how.learning_rate}, decay {listed(how.decay)}, epsilon {how.epsilon:g}; batches of "
        f"{workload.batch_size}, {workload.steps_per_epoch:,} steps an epoch, "
        f"{workload.epochs} epochs as published."
    )


def layers(cells: Sequence[CellResults]) -> Iterator[str]:
    """The layer table that the frameworks report; one for each distinct answer."""
    answers: dict[tuple[tuple[str, ...], ...], list[str]] = {}
    for results in cells:
        # within a cell, too: a table that changes between trials must show
        for rows in dict.fromkeys(map(layer_rows, results.records)):
            if rows:
                answers.setdefault(rows, []).append(results.name)
    yield "### Layers"
    if not answers:
        yield "No record of this workload holds a layer table."
    for rows, names in answers.items():
        who = "All cells with records agree" if len(answers) == 1 else "**Cells differ.** This is"
        yield f"{who}: {escape('; '.join(names))}."
        yield table(["layer", "kind", "output shape", "parameters"], rows, "parameters")


def layer_rows(record: Record) -> tuple[tuple[str, ...], ...]:
    if record.parameters is None:
        return ()
    rows = [
        (escape(one.name), escape(one.kind), shape(one.output_shape), count(one.count))
        for one in record.parameters.layers
    ]
    return (*rows, ("total", "", "", count(record.parameters.total)))


def shape(sizes: Sequence[int]) -> str:
    return " x ".join(map(str, sizes))


def published(workload: Workload | None) -> Iterator[str]:
    """Footnotes, never rows beside measured figures."""
    results = workload.published if workload is not None else ()
    if results:
        yield "Published (each a single draw; no source names its hardware):"
        yield "\n".join(f"- {footnote(result)}" for result in results)


def footnote(result: PublishedResult) -> str:
    who = listed(part for part in (result.author, result.where, result.date) if part)
    accuracy = percent(result.test_accuracy)
    parts = [f"{escape(result.title)} ({escape(who)}): test accuracy {accuracy}"]
    if result.wrong is not None:
        parts.append(f"{result.wrong} wrong")
    if result.test_loss is not None:
        parts.append(f"test loss {result.test_loss:.4f}")
    if result.step_milliseconds is not None:
        low, high = result.step_milliseconds
        span = f"{low:g}" if low == high else f"{low:g} to {high:g}"
        parts.append(f"{span} ms per step on its progress bar")
    if result.sample_microseconds is not None:
        low, high = result.sample_microseconds
        parts.append(f"{low:g} to {high:g} µs per sample on its progress bar")
    return f"{', '.join(parts)}. Framework: {escape(result.framework)}. Hardware: not stated."
