"""The sides of a comparison: one run, or several runs of one machine with one plan."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path

from bench.errors import UsageError
from bench.record import EnvironmentModel, Record
from bench.record.run import RunModel, read_run
from bench.record.stored import read_records
from bench.spec import Cell
from reports.results.cells import CellResults, group
from reports.results.content_hash import content_hash

AGAINST = "against"


@dataclass(frozen=True, kw_only=True)
class ComparedRun:
    """A run, named after its folder."""

    name: str
    run: RunModel
    cells: tuple[CellResults, ...]

    @property
    def records(self) -> list[Record]:
        """Return the records of all cells."""
        return [record for cell in self.cells for record in cell.records]

    @cached_property
    def content_hash(self) -> str:
        """Return the hash by which the run is cited."""
        return content_hash(self.run, self.records)


@dataclass(frozen=True, kw_only=True)
class Side:
    """One run or more, of one machine with one plan."""

    runs: tuple[ComparedRun, ...]

    @property
    def name(self) -> str:
        return ", ".join(compared.name for compared in self.runs)

    @property
    def run(self) -> RunModel:
        """Return the first run."""
        return self.runs[0].run

    @property
    def cells(self) -> tuple[CellResults, ...]:
        """Return the cells of the first run; all runs have the same."""
        return self.runs[0].cells


def read(arguments: Sequence[str]) -> tuple[Side, ...]:
    """Read the runs in these folders: `A B C`, or two sides `A1 A2 against B1 B2`.

    Without `against`, each run is a side. Raises `UsageError` for sides that can't be compared and
    for a smoke run, `RecordError` for an invalid run.
    """
    runs = iter(read_runs([argument for argument in arguments if argument != AGAINST]))
    sides = tuple(
        Side(runs=tuple(next(runs) for _ in range(number))) for number in side_sizes(arguments)
    )
    for side in sides:
        require_alike(side)
    require_distinct(sides)
    require_others(sides)
    return sides


def side_sizes(arguments: Sequence[str]) -> list[int]:
    """Return the number of runs of each side. Raises `UsageError` if `against` is not between."""
    if AGAINST not in arguments:
        return [1] * len(arguments)
    before, after = arguments.index(AGAINST), len(arguments) - arguments.index(AGAINST) - 1
    if not before or not after or arguments.count(AGAINST) > 1:
        raise UsageError(
            "wrong sides. Expected: RUN [RUN...] against RUN [RUN...]. "
            f"Received: {' '.join(arguments)}"
        )
    return [before, after]


def read_runs(folders: Sequence[str]) -> Iterator[ComparedRun]:
    """Yield the run in each folder, with a unique name."""
    names = [Path(folder).resolve().name for folder in folders]
    if len(set(names)) < len(names):
        names = [f"{name} ({number})" for number, name in enumerate(names, 1)]
    for folder, name in zip(folders, names, strict=True):
        yield load_ranked(Path(folder), name)


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


def require_alike(side: Side) -> None:
    """Raise `UsageError` if two runs of a side differ in more than chance."""
    for first, other in pairwise(side.runs):
        for what, value in (("machine", machine), ("profile", profile), ("cells", timed_cells)):
            if value(first.run) != value(other.run):
                raise UsageError(
                    f"{first.name} and {other.name} differ in their {what}. "
                    "Expected: the runs of a side come from one machine and one plan"
                )


def require_distinct(sides: Sequence[Side]) -> None:
    """Raise `UsageError` if a run is given twice in a comparison of repeated runs."""
    runs = [compared.run.run_id for side in sides for compared in side.runs]
    if len(runs) > len(sides) and len(set(runs)) < len(runs):
        raise UsageError(
            "a run is given twice. Expected: different runs, which show how much runs differ"
        )


def require_others(sides: Sequence[Side]) -> None:
    """Raise `UsageError` for a single run whose cells have a single device."""
    devices = {cell.execution.device for side in sides for cell in timed_cells(side.run)}
    if len(sides) < 2 and len(devices) < 2:
        raise UsageError(
            "a comparison needs two runs or more, or one run with several devices. "
            f"Received: {len(sides)} with {', '.join(devices) or 'no device'}"
        )


def machine(run: RunModel) -> tuple[object, ...]:
    return machine_identity(run.environment)


def profile(run: RunModel) -> str:
    return run.profile


def timed_cells(run: RunModel) -> set[Cell]:
    return {trial.cell for trial in run.trials if trial.kind == "timing"}


def machine_identity(environment: EnvironmentModel) -> tuple[object, ...]:
    """Return host, CPU, cores and GPUs: what makes a machine another one."""
    gpus = (gpu.name for gpu in environment.gpus)
    return environment.host_sha256, environment.cpu, environment.cores, *gpus
