"""Each workload: its definition, lanes, trainings, predictions and published results."""

from collections.abc import Iterator, Sequence

from bench.record import Record
from bench.spec import PublishedResult
from reports.results.workload import WorkloadResults
from reports.sections import lanes, more_epochs, predictions, training
from reports.text import comma_list, count, escape, percent, table


def page(workload: WorkloadResults) -> Iterator[str]:
    """Yield the parts of a workload's page, below its name."""
    yield f"# {escape(workload.name)}"
    for part in PARTS:
        yield from part(workload)


def definition(results: WorkloadResults) -> Iterator[str]:
    workload = results.definition
    if workload is None:
        yield "This version of samestep does not know this network: no definition to show."
        return
    optimizer = workload.optimizer
    yield (
        f"{count(workload.parameter_total)} parameters; {optimizer.name}, learning rate "
        f"{optimizer.learning_rate}, decay {comma_list(optimizer.decay)}, epsilon "
        f"{optimizer.epsilon:g}; batches of {workload.batch_size}, {workload.steps_per_epoch:,} "
        f"steps per epoch, {workload.epochs} epochs as published."
    )


def layers(workload: WorkloadResults) -> Iterator[str]:
    """Yield the layer tables that the frameworks report; equal tables are shown once."""
    answers: dict[tuple[tuple[str, ...], ...], list[str]] = {}
    for results in workload.cells:
        # also within a cell: a table that changes between trials must be visible
        for rows in dict.fromkeys(map(layer_rows, results.records)):
            if rows:
                answers.setdefault(rows, []).append(results.title)
    yield "### Layers"
    if not answers:
        yield "No record of this network holds a layer table."
    for rows, names in answers.items():
        finding = (
            "All configurations agree"
            if len(answers) == 1
            else "**Configurations differ.** This is"
        )
        yield f"{finding}: {escape('; '.join(names))}."
        yield table(["layer", "kind", "output shape", "parameters"], rows, "parameters")


def layer_rows(record: Record) -> tuple[tuple[str, ...], ...]:
    """Return the rows of a record's layer table; empty if it has none."""
    if record.parameters is None:
        return ()
    rows = [
        (escape(layer.name), escape(layer.kind), shape(layer.output_shape), count(layer.count))
        for layer in record.parameters.layers
    ]
    return (*rows, ("total", "", "", count(record.parameters.total)))


def shape(sizes: Sequence[int]) -> str:
    return " x ".join(map(str, sizes))


def published_results(workload: WorkloadResults) -> Iterator[str]:
    """Yield the published results as footnotes, never as rows beside measured figures."""
    sources = workload.definition.published if workload.definition is not None else ()
    if sources:
        yield "Published (each a single draw; no source names its hardware):"
        yield "\n".join(f"- {footnote(source)}" for source in sources)


def footnote(result: PublishedResult) -> str:
    source = comma_list(part for part in (result.author, result.where, result.date) if part)
    accuracy = percent(result.test_accuracy)
    parts = [f"{escape(result.title)} ({escape(source)}): test accuracy {accuracy}"]
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


PARTS = (
    definition,
    layers,
    lanes.part,
    training.part,
    more_epochs.part,
    predictions.part,
    published_results,
)
