"""One paragraph of facts: what ran, how much of it, and a summary of the verdicts."""

from collections import Counter
from collections.abc import Iterator, Sequence

from bench.stats import Verdict
from reports.results.cells import CellResults, backends, declared_seeds, rounds
from reports.results.machine import hardware
from reports.results.names import framework
from reports.results.report import Report
from reports.results.speed_verdicts import RankedPair, no_verdict_reason
from reports.text import comma_list, escape, estimate, plural

MOST_IN_SHORT = 4


def section(report: Report) -> Iterator[str]:
    """Yield the paragraph, with machine and medians unless the headline has them."""
    has_headline = bool(report.default_pairs or report.default_accuracy_pairs)
    sentences = [
        *([] if has_headline else [f"Machine: {escape(hardware(report.run))}."]),
        *extent(report),
        *([] if has_headline else medians(report.cells)),
        verdict_summary(report.pairs) if report.pairs else no_verdict_reason(report.run),
    ]
    yield " ".join(sentences)


def extent(report: Report) -> Iterator[str]:
    """Yield what ran: networks, frameworks, devices, configurations, rounds and seeds."""
    run, cells = report.run, report.cells
    devices = sorted({results.cell.execution.device for results in cells})
    complete = sum(results.is_complete for results in cells)
    unsupported = sum(results.is_unsupported for results in cells)
    seeds = declared_seeds(run)
    names = map(framework, backends(cells))
    yield (
        f"{plural(len(report.workloads), 'network')} in {escape(comma_list(names))}; "
        f"devices: {escape(comma_list(devices))}; profile {escape(run.profile)}."
    )
    yield (
        f"{complete} of {plural(len(cells), 'configuration')} have all their figures"
        f"{f', {unsupported} are unsupported' if unsupported else ''}."
    )
    yield (
        f"Timing: {plural(rounds(run), 'round')}. Accuracy: {plural(len(seeds), 'seed')} "
        f"({escape(comma_list(seeds))})."
    )


def medians(cells: Sequence[CellResults]) -> Iterator[str]:
    """Yield the full training loop of every cell in one sentence; nothing if no cell has it."""
    parts: dict[str, list[str]] = {}
    for results in cells:
        if results.speed is not None and results.speed.native_seconds is not None:
            place = f"{escape(results.cell.workload)} on {escape(results.device)}"
            value = estimate(results.speed.native_seconds, 1e3)
            parts.setdefault(place, []).append(f"{escape(framework(results.cell.backend))} {value}")
    text = "; ".join(f"{place}: {', '.join(values)}" for place, values in parts.items())
    interval_note = ", in brackets the 95 % interval" if "[" in text else ""
    if text:
        yield (
            "Milliseconds per step in the full training loop, median over trials"
            f"{interval_note}: {text}."
        )


def verdict_summary(pairs: Sequence[RankedPair]) -> str:
    """Return the number of verdicts of each kind, for every two backends on each device."""
    counts: dict[str, Counter[Verdict]] = {}
    for pair in pairs:
        first, second = map(escape, pair.names)
        rivals = f"{first} against {second} on {escape(pair.first.device)}"
        counts.setdefault(rivals, Counter())[pair.claim.verdict] += 1
    parts = [f"{rivals}: {verdict_counts(verdicts)}" for rivals, verdicts in counts.items()]
    if len(parts) > MOST_IN_SHORT:
        parts = [f"{verdict_counts(sum(counts.values(), Counter()))}, each under Which is faster"]
    return f"Verdicts on full training loops and training steps: {'; '.join(parts)}."


def verdict_counts(verdicts: Counter[Verdict]) -> str:
    """Return `FASTER in 3, UNCLEAR in 1 of 4 comparisons`."""
    counts = ", ".join(
        f"{verdict} in {verdicts[verdict]}" for verdict in Verdict if verdicts[verdict]
    )
    return f"{counts} of {plural(verdicts.total(), 'comparison')}"
