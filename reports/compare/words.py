"""What a comparison found, in one sentence that is no stronger than its verdicts."""

from collections import Counter
from collections.abc import Sequence

from bench.stats import SAME_WITHIN, Verdict
from reports.compare.pairs import ComparedCell
from reports.sections.speed_verdicts import percent
from reports.text import NOTHING, escape, estimate, plural

IN_WORDS = {
    Verdict.FASTER: "faster",
    Verdict.SLOWER: "slower",
    Verdict.SAME: f"the same within {percent(SAME_WITHIN)}",
    Verdict.AMBIGUOUS: "ambiguous",
}


def in_short(first: str, cells: Sequence[ComparedCell]) -> str:
    """How many of each verdict, and the largest difference; `first` names the first run."""
    judged = [one for one in cells if one.claim is not None]
    if not judged:
        return f"Nothing is said about speed: no timed cell may be compared with {escape(first)}."
    found = Counter(one.verdict for one in judged)
    each = ", ".join(f"{found[verdict]} {words}" for verdict, words in IN_WORDS.items())
    left = len(cells) - len(judged)
    more = f"; {left} more may not be compared" if left else ""
    timings = f"{plural(len(judged), 'timing')} (a cell in a lane)"
    return f"Of {timings}, compared with {escape(first)}: {each}{more}. {largest(judged)}."


def largest(judged: Sequence[ComparedCell]) -> str:
    """Of the differences that are shown; where none is, the ratio farthest from 1."""
    shown = [one for one in judged if one.verdict in (Verdict.FASTER, Verdict.SLOWER)]
    most = max(shown or judged, key=effect)
    what = "The largest difference" if shown else "No difference is shown; the farthest from 1"
    found = f"{in_times(most)} in {escape(most.run)}, {most.verdict}"
    return f"{what}: {escape(where(most))} takes {found}"


def effect(one: ComparedCell) -> float:
    return 0.0 if one.comparison is None else one.comparison.effect


def where(one: ComparedCell) -> str:
    return f"{one.first.name} on {one.first.cell.workload} ({one.lane} lane)"


def in_times(one: ComparedCell) -> str:
    """`1.10 [1.09, 1.11] times as long`."""
    comparison = one.comparison
    return NOTHING if comparison is None else f"{estimate(comparison.ratio)} times as long"
