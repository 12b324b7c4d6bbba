"""The tables of the same cells in several runs, and of the settings that changed."""

from collections.abc import Iterator, Mapping, Sequence

from bench.stats import SAME_WITHIN, cell_value
from reports.compare.pairs import LEAST_BETWEEN_RUNS, ComparedCell, ordered_values
from reports.compare.protocol import MOST_TIMES_THE_STEPS
from reports.compare.words import ratio_text
from reports.results.cells import CellResults
from reports.results.settings import Values, format_values
from reports.sections.columns import cell_names
from reports.text import NOTHING, comma_list, escape, estimate, percent, plain_percent, table

NOT_COMPARED = "not compared"


def claims(cells: Sequence[ComparedCell]) -> Iterator[str]:
    """Write the table of the cells, one row per lane, and its legend."""
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
    f"comparison by Holm's method, and an effect under {plain_percent(LEAST_BETWEEN_RUNS)}, or "
    "under twice what a cell differs from itself within one of the runs (between neighbouring "
    "rounds and between its halves), is AMBIGUOUS, unless it is shown to be within "
    f"{plain_percent(SAME_WITHIN)}: SAME. A run against itself, such as what was published of it, "
    "shares its rounds, and is compared round by round. Of two machines (another host, CPU, number "
    f"of cores or GPU) nothing is SAME: what is under {plain_percent(LEAST_BETWEEN_RUNS)} is "
    "AMBIGUOUS. What the machine did between the runs is part of the ratio. Not compared: "
    "something else was computed, or the times mean something else, such as native times of slices "
    f"of which one has more than {MOST_TIMES_THE_STEPS} times the steps of the other, so that the "
    "loop's start-up weighs less in it. What differs: of the settings in force and of the plan of "
    "measuring, the first run's value, then the other's; it does not forbid to compare, and may be "
    "the cause."
)


def row(cell: ComparedCell) -> list[str]:
    """Write one row of the table of `claims`."""
    comparison, claim = cell.comparison, cell.claim
    smallest = None if comparison is None else comparison.minimum_detectable_effect
    return [
        *cell_names(cell.first),
        cell.lane,
        milliseconds(cell.first, cell.lane),
        escape(cell.run),
        milliseconds(cell.other, cell.lane),
        NOT_COMPARED if claim is None else f"{ratio_text(cell)}: {claim.verdict}",
        percent(smallest, 1),
        NOTHING if comparison is None else str(comparison.n),
        escape(cell.refusal) if claim is None else claim.reason,
        escape("; ".join(cell.notes)) or NOTHING,
    ]


def milliseconds(results: CellResults, lane: str) -> str:
    """Write the milliseconds per step with their interval."""
    return estimate(cell_value(ordered_values(results.seconds[lane])), 1e3)


def changed_settings_table(cells: Sequence[ComparedCell]) -> Iterator[str]:
    """Write the table of settings that are not the same in both runs: they may change the times."""
    rows = {
        (cell.run, cell.first.cell): [
            escape(cell.first.cell.workload), escape(cell.first.name), escape(cell.run),
            comma_list(
                f"{escape(name)}: {escape(format_values(before))}, "
                f"now {escape(format_values(after))}"
                for name, (before, after) in changes.items()
            ),
        ]
        for cell in cells
        if (changes := changed_settings(cell.first.settings, cell.other.settings))
    }  # fmt: skip
    if rows:
        yield "## Settings that are not the same"
        yield table(["workload", "cell", "run", "first, and in that run"], rows.values())


def changed_settings(
    before: Mapping[str, Values], after: Mapping[str, Values]
) -> dict[str, tuple[Values, Values]]:
    """Return both sets of values per changed setting; the set is empty for an absent setting."""
    return {
        name: (before.get(name, frozenset()), after.get(name, frozenset()))
        for name in sorted(before.keys() | after.keys())
        if before.get(name) != after.get(name)
    }
