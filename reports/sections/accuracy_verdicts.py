"""The verdicts on accuracy: whether backends train to the same accuracy."""

from collections.abc import Iterator

from bench.stats import FEWEST_SEEDS, LEVEL, MeanDifference
from reports.results.accuracy_verdicts import AccuracyPair
from reports.results.names import framework
from reports.results.report import Report
from reports.text import NOTHING, escape, plain_percent, points, table

HEADERS = [
    "network", "device", "compared", "difference (points)", "95 % interval", "seeds", "verdict",
    "because",
]  # fmt: skip


def section(report: Report) -> Iterator[str]:
    """Yield the verdicts; nothing for a run without a claim on accuracy."""
    pairs = report.accuracy_pairs
    if not pairs:
        return
    yield "## Whether they train to the same accuracy"
    if all(pair.claim.comparison.n < 2 for pair in pairs):
        yield (
            "Not compared: one seed each. Rounding makes trainings diverge after some steps, so a "
            "single training says little about the framework. A verdict needs "
            f"{FEWEST_SEEDS} seeds (`--profile full`)."
        )
        return
    yield table(HEADERS, map(row, pairs), "difference (points), 95 % interval, seeds")
    yield LEGEND


LEGEND = (
    "Difference: mean test accuracy after the last epoch of the first framework minus that of the "
    "second, over the seeds that the plan named before anything was trained; none is dropped. "
    "EQUIVALENT: shown to be within the margin by two one-sided Welch tests (p under "
    f"{plain_percent(LEVEL)}, adjusted for all pairs of this report by Holm's method). The margin "
    "is 0.30 points from 10 seeds on; from 20 on the larger of 0.20 points and 1.5 standard "
    "deviations over seeds. DIFFERENT: Welch's test of no difference, adjusted likewise, and not "
    f"equivalent. INCONCLUSIVE: neither is shown, or fewer than {FEWEST_SEEDS} seeds."
)


def row(pair: AccuracyPair) -> list[str]:
    comparison = pair.claim.comparison
    return [
        escape(pair.first.cell.workload),
        escape(pair.first.device),
        f"{escape(framework(pair.first.cell.backend))} against {escape(other_name(pair))}",
        points(comparison.difference),
        interval(comparison),
        str(comparison.n),
        pair.claim.verdict,
        pair.claim.reason,
    ]


def other_name(pair: AccuracyPair) -> str:
    """Return the second framework, with its mode if both frameworks are the same."""
    second = pair.second.cell
    name = framework(second.backend)
    same = second.backend == pair.first.cell.backend
    return f"{name} ({second.execution.mode})" if same else name


def interval(comparison: MeanDifference) -> str:
    """Return the interval of the difference, in percentage points."""
    if comparison.low is None or comparison.high is None:
        return NOTHING
    return f"{points(comparison.low)} to {points(comparison.high)}"
