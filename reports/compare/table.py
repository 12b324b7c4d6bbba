"""The table of the same cells in several runs, and of the settings that changed."""

from collections.abc import Iterator, Mapping, Sequence

from bench.stats import SAME_WITHIN, cell_value
from reports.compare.pairs import LEAST_BETWEEN_RUNS, ComparedCell, in_order, seconds
from reports.compare.protocol import MOST_TIMES_THE_STEPS
from reports.compare.words import in_times
from reports.results.cells import CellResults
from reports.results.settings import Values, printed
from reports.sections.columns import named
from reports.sections.speed_verdicts import percent
from reports.text import NOTHING, escape, estimate, listed, table

NOT_COMPARED = "not compared"


def claims(cells: Sequence[ComparedCell]) -> Iterator[str]:
    if not cells:
        yield "The runs have no timed cell in common."
        return
    headers = ["workload", "backend", "device", "lane", "first ms/step", "run", "its ms/step",
               "verdict", "could find", "n", "because", "what differs"]  # fmt: skip
    yield table(headers, map(row, cells), "first ms/step,its ms/step,could find,n")
    yield LEGEND


LEGEND = (
    "Times as long: median over all pairs of a trial of each run, with its 95 % interval. The runs "
    "share no rounds, so the test is that of Mann and Whitney, adjusted for all verdicts of this "
    f"comparison by Holm's method, and an effect under {percent(LEAST_BETWEEN_RUNS)}, or under "
    "twice what a cell differs from itself within one of the runs (between neighbouring rounds and "
    f"between its halves), is AMBIGUOUS, unless it is shown to be within {percent(SAME_WITHIN)}: "
    "SAME. A run against itself, such as what was published of it, shares its rounds, and is "
    "compared round by round. Of two machines (another host, CPU, number of cores or GPU) nothing "
    f"is SAME: what is under {percent(LEAST_BETWEEN_RUNS)} is AMBIGUOUS. What the machine did "
    "between the runs is part of the ratio. Not compared: something else was computed, or the "
    "times mean something else, such as native times of slices of which one has more than "
    f"{MOST_TIMES_THE_STEPS} times the steps of the other, so that the loop's start-up weighs less "
    "in it. What differs: of the settings in force and of the plan of measuring, the first run's "
    "value, then the other's; it does not forbid to compare, and may be the cause."
)


def row(one: ComparedCell) -> list[str]:
    comparison, claim = one.comparison, one.claim
    smallest = None if comparison is None else comparison.minimum_detectable_effect
    return [
        *named(one.first),
        one.lane,
        milliseconds(one.first, one.lane),
        escape(one.run),
        milliseconds(one.other, one.lane),
        NOT_COMPARED if claim is None else f"{in_times(one)}: {claim.verdict}",
        NOTHING if smallest is None else f"{100 * smallest:.1f} %",
        NOTHING if comparison is None else str(comparison.n),
        escape(one.refusal) if claim is None else claim.reason,
        escape("; ".join(one.notes)) or NOTHING,
    ]


def milliseconds(results: CellResults, lane: str) -> str:
    return estimate(cell_value(in_order(seconds(results, lane))), 1e3)


def others_settings(cells: Sequence[ComparedCell]) -> Iterator[str]:
    """Settings in force that are not the same in both runs: their times may differ for that."""
    rows = {
        (one.run, one.first.cell): [
            escape(one.first.cell.workload), escape(one.first.name), escape(one.run),
            listed(f"{escape(name)}: {escape(printed(before))}, now {escape(printed(after))}"
                   for name, (before, after) in changed.items()),
        ]
        for one in cells
        if (changed := changed_settings(one.first.settings, one.other.settings))
    }  # fmt: skip
    if rows:
        yield "## Settings that are not the same"
        yield table(["workload", "cell", "run", "first, and in that run"], rows.values())


def changed_settings(
    before: Mapping[str, Values], after: Mapping[str, Values]
) -> dict[str, tuple[Values, Values]]:
    """Return the two sets of values by setting; a run without the setting has an empty set."""
    return {
        name: (before.get(name, frozenset()), after.get(name, frozenset()))
        for name in sorted(before.keys() | after.keys())
        if before.get(name) != after.get(name)
    }
