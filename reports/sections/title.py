"""The title of a report, and the warnings that come before the first number."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from bench.record.run import RunModel
from reports.results.cells import CellResults, backends, rounds, workloads
from reports.results.machine import short_machine
from reports.results.names import framework, networks
from reports.results.report import Report
from reports.text import comma_list, escape, plural

# by which a report names the option that it was written with
BASELINE = "Baseline: `{}`."


def section(report: Report) -> Iterator[str]:
    """Yield the title, then a warning for a smoke run, missing records and an unfit machine."""
    yield f"# {escape(title(report))}"
    if report.baseline is not None:
        yield BASELINE.format(report.baseline)
    if report.stamp:
        yield (
            f"> **{report.stamp}.** n = {rounds(report.run)}, so there is no interval, and the "
            "figures show only that everything runs."
        )
    yield from incomplete_plan(report.run, report.cells)
    yield from unfit_machine(report.run)


def title(report: Report) -> str:
    """Return `NVIDIA H200: cnn in JAX and PyTorch (2026-11-27)`."""
    names = comma_list(framework(name) for name in backends(report.cells))
    subject = networks(workloads(report.cells))
    return f"{short_machine(report.run)}: {subject} in {names} ({report.run.created[:10]})"


def baseline_of(text: str) -> str | None:
    """Return the baseline that the text of a report names; None if it was the usual one."""
    match = re.search(re.escape(BASELINE).replace(r"\{\}", "(.+?)"), text)
    return None if match is None else match[1]


def incomplete_plan(run: RunModel, cells: Sequence[CellResults]) -> Iterator[str]:
    """Yield how many planned trials have no record, by kind; nothing for a complete run."""
    missing = Counter(trial.kind for results in cells for trial in results.missing_trials)
    if missing:
        kinds = comma_list(f"{kind} {trials}" for kind, trials in sorted(missing.items()))
        yield (
            f"> **Incomplete run.** {plural(missing.total(), 'trial')} of {len(run.trials):,} "
            f"in the plan {'has' if missing.total() == 1 else 'have'} no record ({kinds})."
        )


def unfit_machine(run: RunModel) -> Iterator[str]:
    """Yield the findings that made a look at the machine before a session call it unfit."""
    looks = [session.preflight for session in run.sessions if session.preflight is not None]
    reasons = dict.fromkeys(
        f"{finding.name} {finding.value or 'unknown'}, {finding.reason}"
        for look in looks
        for finding in look.findings
        if finding.verdict == "unfit"
    )
    if reasons:
        yield f"> **Unfit machine**, seen before the run: {escape('; '.join(reasons))}."
