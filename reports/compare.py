"""Runs against each other: the same cells on other machines, at other times, in new versions."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench.errors import UsageError
from bench.record import Record
from bench.run_file import RunModel, read_records, read_run
from bench.spec import Cell
from bench.stats import SAME_WITHIN, Claim, cell_value, compare_samples, judge
from reports.cells import CellResults, group
from reports.machine import machine_rows, version_rows
from reports.ranking import LANES
from reports.roofs import roofs
from reports.text import NOTHING, escape, estimate, listed, number, plural, table
from reports.trials import by_round, comparable

# Two runs share no rounds: what the machine did between them is in their ratio and in no interval.
LEAST_BETWEEN_RUNS = 0.05
DIFFERENT = "**≠**"


@dataclass(frozen=True, kw_only=True)
class ComparedRun:
    """A run under the name of its folder."""

    name: str
    run: RunModel
    cells: tuple[CellResults, ...]


@dataclass(frozen=True, kw_only=True)
class ComparedCell:
    """What may be said of a cell in `run`, measured against the same cell in the first run."""

    run: str
    lane: str
    first: CellResults
    other: CellResults
    claim: Claim


def read(folders: Sequence[Path]) -> tuple[ComparedRun, ...]:
    """The runs in these folders, each with a name of its own; raises for one that ranks nothing."""
    if len(folders) < 2:
        raise UsageError(f"a comparison needs two runs or more. Received: {len(folders)}")
    names = [folder.resolve().name for folder in folders]
    if len(set(names)) < len(names):
        names = [f"{name} ({number})" for number, name in enumerate(names, 1)]
    runs = []
    for name, folder in zip(names, folders, strict=True):
        run = read_run(folder)
        if run.profile == "smoke":
            raise UsageError(f"{folder} is a smoke run, which ranks nothing. Expected: standard")
        runs.append(ComparedRun(name=name, run=run, cells=group(run, read_records(folder, run))))
    return tuple(runs)


def compare(runs: Sequence[ComparedRun]) -> tuple[ComparedCell, ...]:
    """Each run against the first, in every timed cell that both have, all judged together."""
    first, *others = runs
    pairs = [
        (other.name, lane, cell, twin)
        for other in others
        for cell, twin in in_both(first, other)
        for lane in LANES
    ]
    claims = judge(
        [
            compare_samples(seconds(twin, lane), seconds(cell, lane))
            for _, lane, cell, twin in pairs
        ],
        least=LEAST_BETWEEN_RUNS,
    )
    return tuple(
        ComparedCell(run=name, lane=lane, first=cell, other=twin, claim=claim)
        for (name, lane, cell, twin), claim in zip(pairs, claims, strict=True)
    )


def in_both(first: ComparedRun, other: ComparedRun) -> Iterator[tuple[CellResults, CellResults]]:
    twins: dict[Cell, CellResults] = {one.cell: one for one in other.cells}
    for cell in first.cells:
        twin = twins.get(cell.cell)
        if twin is not None and cell.good("timing") and twin.good("timing"):
            yield cell, twin


def seconds(results: CellResults, lane: str) -> list[float]:
    """Seconds per step in the order of the rounds."""
    found = by_round(comparable(results.good("timing")), LANES[lane])
    return [found[turn] for turn in sorted(found)]


def render(runs: Sequence[ComparedRun]) -> str:
    """Markdown; the same runs give the same text."""
    cells = compare(runs)
    blocks = [
        f"# Comparison of {plural(len(runs), 'run')}",
        f"Each against the first, {escape(runs[0].name)}.",
        "## The runs",
        fingerprints(runs),
        f"{DIFFERENT}: not the same in all runs.",
        "## The same cells",
        *claims(cells),
        *others_settings(cells),
        *alone(runs),
    ]
    return "\n\n".join(blocks) + "\n"


def fingerprints(runs: Sequence[ComparedRun]) -> str:
    columns = [dict(facts(one)) for one in runs]
    names = dict.fromkeys(name for column in columns for name in column)
    rows = []
    for name in names:
        values = [column.get(name, NOTHING) for column in columns]
        rows.append([name, DIFFERENT if len(set(values)) > 1 else "", *values])
    return table(["what", "", *(escape(one.name) for one in runs)], rows)


def facts(one: ComparedRun) -> Iterator[tuple[str, str]]:
    yield "made", escape(one.run.created)
    yield "profile", escape(one.run.profile)
    gpus = 0
    for name, value in machine_rows(one.run.environment):
        gpus += name == "GPU"
        yield (name if name != "GPU" or gpus == 1 else f"GPU {gpus}"), value
    for backend, _, versions in version_rows(one.run):
        yield backend, versions
    for roof in roofs(one.run.calibration).values():
        name = escape(roof.name)
        yield f"{name}: matrix product, GFLOP/s", number(roof.operations_per_second / 1e9)
        yield f"{name}: memory, GB/s", number(roof.bytes_per_second / 1e9)


def claims(cells: Sequence[ComparedCell]) -> Iterator[str]:
    if not cells:
        yield "The runs have no timed cell in common."
        return
    headers = ["workload", "backend", "device", "lane", "first ms/step", "run", "its ms/step",
               "verdict", "could find", "n", "because"]  # fmt: skip
    yield table(headers, map(row, cells), "first ms/step,its ms/step,could find,n")
    yield LEGEND


LEGEND = (
    "Times as long: median over all pairs of a trial of each run, with its 95 % interval. The runs "
    "share no rounds, so the test is that of Mann and Whitney, adjusted for all verdicts of this "
    f"comparison by Holm's method, and an effect under {100 * LEAST_BETWEEN_RUNS:g} %, or under "
    "twice what a cell differs from itself within one of the runs (between neighbouring rounds and "
    f"between its halves), is AMBIGUOUS, unless it is shown to be within {100 * SAME_WITHIN:g} %: "
    "SAME. What the machine did between the runs is part of the ratio."
)


def row(one: ComparedCell) -> list[str]:
    comparison = one.claim.comparison
    smallest = None if comparison is None else comparison.minimum_detectable_effect
    ratio = NOTHING if comparison is None else f"{estimate(comparison.ratio)} times as long"
    return [
        escape(one.first.cell.workload),
        escape(one.first.cell.backend),
        escape(one.first.device),
        one.lane,
        milliseconds(one.first, one.lane),
        escape(one.run),
        milliseconds(one.other, one.lane),
        f"{ratio}: {one.claim.verdict}",
        NOTHING if smallest is None else f"{100 * smallest:.1f} %",
        NOTHING if comparison is None else str(comparison.n),
        one.claim.reason,
    ]


def milliseconds(results: CellResults, lane: str) -> str:
    return estimate(cell_value(seconds(results, lane)), 1e3)


def others_settings(cells: Sequence[ComparedCell]) -> Iterator[str]:
    """Settings in force that are not the same in both runs: their times may differ for that."""
    rows = {
        (one.first.cell, one.run): [
            escape(one.first.cell.workload), escape(one.first.name), escape(one.run),
            listed(f"{escape(name)}: {escape(before)}, now {escape(after)}"
                   for name, (before, after) in changed.items()),
        ]
        for one in cells
        if (changed := changed_settings(one.first.good("timing"), one.other.good("timing")))
    }  # fmt: skip
    if rows:
        yield "## Settings that are not the same"
        yield table(["workload", "cell", "run", "first, and in that run"], rows.values())


def changed_settings(
    first: Sequence[Record], other: Sequence[Record]
) -> dict[str, tuple[object, object]]:
    before, after = effective(first), effective(other)
    return {
        name: (before.get(name), after.get(name))
        for name in sorted(before.keys() | after.keys())
        if before.get(name) != after.get(name)
    }


def effective(records: Sequence[Record]) -> dict[str, Any]:
    settings = next((one.settings for one in records if one.settings is not None), None)
    return {} if settings is None else dict(settings.effective)


def alone(runs: Sequence[ComparedRun]) -> Iterator[str]:
    """Cells that could not be compared since not every run has their times."""
    first, *others = runs
    for other in others:
        common = {cell.cell for cell, _ in in_both(first, other)}
        labels = {one.cell.label for side in (first, other) for one in side.cells
                  if one.cell not in common}  # fmt: skip
        if labels:
            yield f"Not timed in both, {escape(other.name)}: {listed(map(escape, sorted(labels)))}."


def as_json(runs: Sequence[ComparedRun]) -> dict[str, Any]:
    """Unrounded; null for what fewer than 6 trials do not tell."""
    return {
        "runs": [{"name": one.name, "run_id": one.run.run_id} for one in runs],
        "claims": [
            {
                "run": one.run,
                "workload": one.first.cell.workload,
                "backend": one.first.cell.backend,
                "execution": asdict(one.first.cell.execution),
                "lane": one.lane,
                "verdict": one.claim.verdict,
                "reason": one.claim.reason,
                "adjusted_p_value": one.claim.p_value,
                "adjusted_equivalence_p_value": one.claim.equivalence_p_value,
                "comparison": one.claim.comparison and asdict(one.claim.comparison),
            }
            for one in compare(runs)
        ],
    }
