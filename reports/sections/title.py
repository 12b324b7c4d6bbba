"""The title of a report, and the warnings that come before the first number."""

from collections import Counter
from collections.abc import Iterator, Sequence

from bench.record.run import RunModel
from reports.results.cells import CellResults, rounds
from reports.results.report import Report
from reports.text import comma_list, escape, plural


def section(report: Report) -> Iterator[str]:
    """Yield the title, the stamp of a smoke run, and the number of missing records."""
    yield f"# samestep report: {escape(report.run.run_id)}"
    if report.stamp:
        yield (
            f"> **{report.stamp}.** n = {rounds(report.run)}, so there is no interval, and the "
            "figures show only that everything runs."
        )
    yield from incomplete_plan(report.run, report.cells)


def incomplete_plan(run: RunModel, cells: Sequence[CellResults]) -> Iterator[str]:
    """Yield how many planned trials have no record, by kind; nothing for a complete run."""
    missing = Counter(trial.kind for results in cells for trial in results.missing_trials)
    if missing:
        kinds = comma_list(f"{kind} {trials}" for kind, trials in sorted(missing.items()))
        yield (
            f"> **Incomplete run.** {plural(missing.total(), 'trial')} of {len(run.trials):,} "
            f"in the plan {'has' if missing.total() == 1 else 'have'} no record ({kinds})."
        )
