"""The result of a comparison, in one sentence that is no stronger than its verdicts."""

from collections import Counter
from collections.abc import Sequence

from bench.stats import SAME_WITHIN, Verdict
from reports.compare.pairs import ComparedCell
from reports.text import NOTHING, escape, estimate, plain_percent, plural

IN_WORDS = {
    Verdict.FASTER: "faster",
    Verdict.SLOWER: "slower",
    Verdict.SAME: f"the same within {plain_percent(SAME_WITHIN)}",
    Verdict.AMBIGUOUS: "ambiguous",
}


def summary(first: str, cells: Sequence[ComparedCell]) -> str:
    """Write the number of each verdict, and the largest difference; `first` names the first run."""
    judged = [cell for cell in cells if cell.claim is not None]
    if not judged:
        return f"Nothing is said about speed: no timed cell may be compared with {escape(first)}."
    counts = Counter(cell.verdict for cell in judged)
    verdicts = ", ".join(f"{counts[verdict]} {words}" for verdict, words in IN_WORDS.items())
    refused = len(cells) - len(judged)
    more = f"; {refused} more may not be compared" if refused else ""
    timings = f"{plural(len(judged), 'timing')} (a cell in a lane)"
    difference = largest_difference(judged)
    return f"Of {timings}, compared with {escape(first)}: {verdicts}{more}. {difference}."


def largest_difference(judged: Sequence[ComparedCell]) -> str:
    """Write the largest difference that has a verdict; if there is none, the ratio furthest from 1.

    `judged` are cells with a claim.
    """
    different = [cell for cell in judged if cell.verdict in (Verdict.FASTER, Verdict.SLOWER)]
    most = max(different or judged, key=effect)
    what = "The largest difference" if different else "No difference is shown; the farthest from 1"
    ratio = f"{ratio_text(most)} in {escape(most.run)}, {most.verdict}"
    return f"{what}: {escape(cell_text(most))} takes {ratio}"


def effect(cell: ComparedCell) -> float:
    """Return the size of the effect in either direction; 0 if nothing was compared."""
    return 0.0 if cell.comparison is None else cell.comparison.effect


def cell_text(cell: ComparedCell) -> str:
    """Write `pytorch on mlp-512 (step lane)`."""
    return f"{cell.first.name} on {cell.first.cell.workload} ({cell.lane} lane)"


def ratio_text(cell: ComparedCell) -> str:
    """Write `1.10 [1.09, 1.11] times as long`."""
    comparison = cell.comparison
    return NOTHING if comparison is None else f"{estimate(comparison.ratio)} times as long"
