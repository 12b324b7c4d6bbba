"""Compare the speed of the same cells in several runs, each run with the first."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bench.errors import UsageError
from bench.record.run import RunModel, read_run
from bench.record.stored import read_records
from bench.spec import Cell, TrialKind
from bench.stats import Claim, Comparison, Verdict, compare_rounds, compare_samples, judge
from reports.compare import protocol
from reports.results import comparability
from reports.results.cells import CellResults, group
from reports.results.speed import LANES

# two runs share no rounds: changes of the machine between them are in the ratio and in no interval
LEAST_BETWEEN_RUNS = 0.05


@dataclass(frozen=True, kw_only=True)
class ComparedRun:
    """A run, named after its folder."""

    name: str
    run: RunModel
    cells: tuple[CellResults, ...]


@dataclass(frozen=True, kw_only=True)
class ComparedCell:
    """A cell of `run`, compared with the same cell of the first run in one lane.

    It has either a claim, or a refusal, which says why there is no claim. `notes` list differences
    that do not forbid the comparison, each with the first run's value, then the other's.
    `same_run`: both belong to one run, for example as its published copy, and share its rounds.
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

    def add_claim(self, claim: Claim) -> "ComparedCell":
        """Return the cell with its claim, which is weaker between two machines."""
        return replace(self, claim=weaken_same(claim) if self.other_machine else claim)


def read(folders: Sequence[Path]) -> tuple[ComparedRun, ...]:
    """Read the runs in these folders, each with a unique name.

    Raises `UsageError` for fewer than two folders or a smoke run, `RecordError` for an invalid run.
    """
    if len(folders) < 2:
        raise UsageError(f"a comparison needs two runs or more. Received: {len(folders)}")
    names = [folder.resolve().name for folder in folders]
    if len(set(names)) < len(names):
        names = [f"{name} ({number})" for number, name in enumerate(names, 1)]
    return tuple(load_ranked(folder, name) for folder, name in zip(folders, names, strict=True))


def load_ranked(folder: Path, name: str) -> ComparedRun:
    """Read a run. Raises `UsageError` for a smoke run, which ranks nothing."""
    compared = load_run(folder, name)
    if compared.run.profile == "smoke":
        raise UsageError(f"{folder} is a smoke run, which ranks nothing. Expected: standard")
    return compared


def load_run(folder: Path, name: str) -> ComparedRun:
    """Read a run with its records. Raises `RecordError` if it is invalid."""
    run = read_run(folder)
    return ComparedRun(name=name, run=run, cells=group(run, read_records(folder, run)))


def compare(runs: Sequence[ComparedRun]) -> tuple[ComparedCell, ...]:
    """Compare each run with the first in all cells timed in both; judge all claims together."""
    first, *others = runs
    cells = [
        cell
        for other in others
        for results, twin in common_cells(first, other, "timing")
        for cell in pair_lanes(first, other, results, twin)
    ]
    comparisons = [compare_times(cell) for cell in cells if cell.refusal is None]
    claims = iter(judge(comparisons, least=LEAST_BETWEEN_RUNS))
    return tuple(cell if cell.refusal else cell.add_claim(next(claims)) for cell in cells)


def common_cells(
    first: ComparedRun, other: ComparedRun, kind: TrialKind
) -> Iterator[tuple[CellResults, CellResults]]:
    """Yield the cells with good trials of this kind in both runs."""
    twins: dict[Cell, CellResults] = {results.cell: results for results in other.cells}
    for cell in first.cells:
        twin = twins.get(cell.cell)
        if twin is not None and cell.good_records(kind) and twin.good_records(kind):
            yield cell, twin


def pair_lanes(
    first: ComparedRun, other: ComparedRun, cell: CellResults, twin: CellResults
) -> Iterator[ComparedCell]:
    """Yield the cell and its twin in each lane, with notes or a refusal, but without a claim."""
    before = protocol.protocol(first.run, first.cells, cell)
    after = protocol.protocol(other.run, other.cells, twin)
    other_machine = len(machines(cell) | machines(twin)) > 1
    settings = list(comparability.differences(cell.settings, twin.settings, comparability.MATTERS))
    for lane in LANES:
        notes = (*protocol.notes(before, after, lane), *settings)
        reasons = [comparability.refusal(cell, twin), *protocol.refusals(before, after, lane)]
        if not (cell.seconds[lane] and twin.seconds[lane]):
            reasons.append("no steady trial in both runs")
        yield ComparedCell(
            run=other.name,
            lane=lane,
            first=cell,
            other=twin,
            same_run=first.run.run_id == other.run.run_id,
            other_machine=other_machine,
            notes=("other machine", *notes) if other_machine else notes,
            refusal="; ".join(filter(None, reasons)) or None,
        )


def machines(results: CellResults) -> set[tuple[object, ...]]:
    """Return host, CPU, cores and GPUs of each timed trial; the set has one item per machine."""
    environments = [record.environment for record in results.good_records("timing")]
    return {
        (machine.host_sha256, machine.cpu, machine.cores, *(gpu.name for gpu in machine.gpus))
        for machine in environments
    }


def compare_times(cell: ComparedCell) -> Comparison | None:
    """Compare round by round within one run, else all trials with all trials."""
    other, first = cell.other.seconds[cell.lane], cell.first.seconds[cell.lane]
    if cell.same_run:
        return compare_rounds(other, first)
    return compare_samples(ordered_values(other), ordered_values(first))


def weaken_same(claim: Claim) -> Claim:
    """Return AMBIGUOUS for SAME: equality in one cell does not show that two machines are equal."""
    if claim.verdict is not Verdict.SAME:
        return claim
    reason = f"of two machines nothing under {100 * LEAST_BETWEEN_RUNS:g}\u00a0% is told"
    return replace(claim, verdict=Verdict.AMBIGUOUS, reason=reason)


def ordered_values(values: Mapping[int, float]) -> list[float]:
    """Return the values in the order of their rounds."""
    return [values[turn] for turn in sorted(values)]
