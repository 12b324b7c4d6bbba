"""The same cells in several runs: what may be said of each against the first run, and what not."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bench.errors import UsageError
from bench.record.run import RunModel, read_run
from bench.record.selection import by_round, comparable
from bench.record.stored import read_records
from bench.spec import Cell, TrialKind
from bench.stats import Claim, Comparison, Verdict, compare_rounds, compare_samples, judge
from reports.compare import protocol
from reports.results import comparability
from reports.results.cells import CellResults, group
from reports.results.speed_verdicts import LANES

# Two runs share no rounds: what the machine did between them is in their ratio and in no interval.
LEAST_BETWEEN_RUNS = 0.05


@dataclass(frozen=True, kw_only=True)
class ComparedRun:
    """A run under the name of its folder."""

    name: str
    run: RunModel
    cells: tuple[CellResults, ...]


@dataclass(frozen=True, kw_only=True)
class ComparedCell:
    """A cell in `run`, measured against the same cell in the first run, in one lane.

    There is a claim or a refusal, which says why there is none. `notes` are what differs and does
    not forbid to compare, each with the first run's value, then the other's. `same_run`: both are
    of one run, such as what was published of it, and share its rounds.
    """

    run: str
    lane: str
    first: CellResults
    other: CellResults
    same_run: bool
    other_machine: bool
    notes: tuple[str, ...]
    refusal: str | None
    claim: Claim | None = None

    @property
    def comparison(self) -> Comparison | None:
        return None if self.claim is None else self.claim.comparison

    @property
    def verdict(self) -> Verdict | None:
        return None if self.claim is None else self.claim.verdict

    def judged(self, claim: Claim) -> "ComparedCell":
        return replace(self, claim=between_machines(claim) if self.other_machine else claim)


def read(folders: Sequence[Path]) -> tuple[ComparedRun, ...]:
    """The runs in these folders, each with a name of its own; raises for one that ranks nothing."""
    if len(folders) < 2:
        raise UsageError(f"a comparison needs two runs or more. Received: {len(folders)}")
    names = [folder.resolve().name for folder in folders]
    if len(set(names)) < len(names):
        names = [f"{name} ({number})" for number, name in enumerate(names, 1)]
    return tuple(read_one(folder, name) for folder, name in zip(folders, names, strict=True))


def read_one(folder: Path, name: str) -> ComparedRun:
    run = read_run(folder)
    if run.profile == "smoke":
        raise UsageError(f"{folder} is a smoke run, which ranks nothing. Expected: standard")
    return ComparedRun(name=name, run=run, cells=group(run, read_records(folder, run)))


def compare(runs: Sequence[ComparedRun]) -> tuple[ComparedCell, ...]:
    """Each run against the first, in every timed cell that both have, all judged together."""
    first, *others = runs
    pairs = [
        one
        for other in others
        for cell, twin in in_both(first, other, "timing")
        for one in in_each_lane(first, other, cell, twin)
    ]
    comparisons = [compared(one) for one in pairs if one.refusal is None]
    claims = iter(judge(comparisons, least=LEAST_BETWEEN_RUNS))
    return tuple(one if one.refusal else one.judged(next(claims)) for one in pairs)


def in_both(
    first: ComparedRun, other: ComparedRun, kind: TrialKind
) -> Iterator[tuple[CellResults, CellResults]]:
    """The cells with good trials of this kind in both runs."""
    twins: dict[Cell, CellResults] = {one.cell: one for one in other.cells}
    for cell in first.cells:
        twin = twins.get(cell.cell)
        if twin is not None and cell.good(kind) and twin.good(kind):
            yield cell, twin


def in_each_lane(
    first: ComparedRun, other: ComparedRun, cell: CellResults, twin: CellResults
) -> Iterator[ComparedCell]:
    """The cell and its twin before anything is judged."""
    before = protocol.protocol(first.run, first.cells, cell)
    after = protocol.protocol(other.run, other.cells, twin)
    elsewhere = len(machines(cell) | machines(twin)) > 1
    settings = list(comparability.differing(cell.settings, twin.settings, comparability.MATTERS))
    for lane in LANES:
        notes = (*protocol.notes(before, after, lane), *settings)
        reasons = [comparability.refusal(cell, twin), *protocol.refusals(before, after, lane)]
        if not (seconds(cell, lane) and seconds(twin, lane)):
            reasons.append("no steady trial in both runs")
        yield ComparedCell(
            run=other.name,
            lane=lane,
            first=cell,
            other=twin,
            same_run=first.run.run_id == other.run.run_id,
            other_machine=elsewhere,
            notes=("other machine", *notes) if elsewhere else notes,
            refusal="; ".join(filter(None, reasons)) or None,
        )


def machines(results: CellResults) -> set[tuple[object, ...]]:
    """Host, CPU, cores and GPUs of every trial that was timed; one of one machine."""
    found = [one.environment for one in results.good("timing")]
    return {(one.host_sha256, one.cpu, one.cores, *(gpu.name for gpu in one.gpus)) for one in found}


def compared(one: ComparedCell) -> Comparison | None:
    other, first = seconds(one.other, one.lane), seconds(one.first, one.lane)
    if one.same_run:
        return compare_rounds(other, first)
    return compare_samples(in_order(other), in_order(first))


def between_machines(claim: Claim) -> Claim:
    """Machines that are shown to be equal would only be so for this cell: nothing is SAME."""
    if claim.verdict is not Verdict.SAME:
        return claim
    reason = f"of two machines nothing under {100 * LEAST_BETWEEN_RUNS:g}\u00a0% is told"
    return replace(claim, verdict=Verdict.AMBIGUOUS, reason=reason)


def seconds(results: CellResults, lane: str) -> dict[int, float]:
    """Seconds per step by round."""
    return by_round(comparable(results.good("timing")), LANES[lane])


def in_order(found: Mapping[int, float]) -> list[float]:
    return [found[turn] for turn in sorted(found)]
