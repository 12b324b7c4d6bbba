"""How many rounds a run needs, so that no comparison of it is UNDECIDED."""

from bench.stats import SMALLEST_SAMPLE, Verdict
from reports.results.cells import rounds
from reports.results.report import Report


def rounds_wanted(report: Report) -> int:
    """Return how many rounds the run needs for its verdicts; 0 if more rounds decide nothing.

    A pair without any common round is left out: its cells failed, and would fail again.
    """
    counts = [
        pair.claim.comparison.n
        for pair in report.pairs
        if pair.claim.verdict is Verdict.UNDECIDED and pair.claim.comparison is not None
    ]
    return rounds(report.run) + SMALLEST_SAMPLE - min(counts) if counts else 0
