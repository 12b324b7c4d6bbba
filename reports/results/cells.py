"""Records grouped by cell, in one order, with what may be shown of each cell."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from bench.record import Record, TrialModel
from bench.record.run import RunModel
from bench.record.selection import ranked
from bench.spec import MODES, Cell, TrialKind, Workload
from bench.workloads import WORKLOADS
from reports.results.accuracy import Accuracy, accuracy
from reports.results.settings import Values, in_force
from reports.results.speed import Speed, speed


@dataclass(frozen=True, kw_only=True)
class CellResults:
    """A cell: the trials planned for it, the records there are, and the figures they allow.

    No timing without parity: one trial that failed it withholds every figure of the cell.
    """

    cell: Cell
    planned: tuple[TrialModel, ...]
    records: tuple[Record, ...]

    @property
    def withheld(self) -> bool:
        return any(record.status == "parity_failed" for record in self.records)

    @property
    def failed_training(self) -> bool:
        """A training of it came to nothing: how fast its steps are says nothing then."""
        return any(record.status == "failed_training" for record in self.records)

    @property
    def complete(self) -> bool:
        """Every planned trial has a good record."""
        good = sum(record.status == "ok" for record in self.records)
        return good == len(self.planned) and not self.withheld

    @property
    def unsupported(self) -> bool:
        """The backend has no such cell: every record says so."""
        return {record.status for record in self.records} == {"unsupported"}

    @property
    def missing(self) -> tuple[TrialModel, ...]:
        recorded = {record.name for record in self.records}
        return tuple(trial for trial in self.planned if trial.name not in recorded)

    def good(self, kind: TrialKind) -> list[Record]:
        """The records that figures may be made of."""
        if self.withheld:
            return []
        return [one for one in self.records if one.status == "ok" and one.trial.kind == kind]

    # cached: every table and figure asks for them
    @cached_property
    def speed(self) -> Speed | None:
        """The figures: of a trial that was run once more, the repeat counts."""
        return speed(ranked(self.good("timing")))

    @cached_property
    def speed_of_all(self) -> Speed | None:
        """The same over all trials; None where none was run once more."""
        trials = self.good("timing")
        return speed(trials) if len(ranked(trials)) < len(trials) else None

    @cached_property
    def accuracy(self) -> Accuracy | None:
        return accuracy(self.trained(longer=False))

    @cached_property
    def longer(self) -> Accuracy | None:
        """The trainings of more epochs than the workload's own; no part of `accuracy`."""
        return accuracy(self.trained(longer=True))

    def trained(self, *, longer: bool) -> list[Record]:
        return [
            record
            for record in self.good("accuracy")
            if record.trial.accuracy is not None and record.trial.accuracy.longer is longer
        ]

    # cached: each of a report's pairs asks for them
    @cached_property
    def settings(self) -> dict[str, Values]:
        """Return the settings of the timed trials; of the trainings if nothing was timed."""
        return in_force(self.good("timing") or self.good("accuracy"))

    @property
    def workload(self) -> Workload | None:
        """The workload's definition; None where this samestep does not know it."""
        return WORKLOADS.get(self.cell.workload)

    @property
    def device(self) -> str:
        """`cpu`, or with what isn't the default: `cuda:0, compiled, tf32, batch 256`."""
        how = self.cell.execution
        parts = [how.device]
        parts += [how.mode] if how.mode != "default" else []
        parts += [how.precision] if how.precision != "float32" else []
        parts += ["stock optimizer"] if how.optimizer != "matched" else []
        parts += [f"{how.threads} threads"] if how.threads is not None else []
        parts += [f"batch {how.batch_size}"] if self.other_batch else []
        return ", ".join(parts)

    @property
    def other_batch(self) -> bool:
        """Whether the batch size is another than the workload's own."""
        workload = self.workload
        return workload is None or self.cell.execution.batch_size != workload.batch_size

    @property
    def name(self) -> str:
        """Backend and device, unique within a workload."""
        return f"{self.cell.backend} ({self.device})"

    @property
    def parameter_total(self) -> int | None:
        totals = {r.parameters.total for r in self.records if r.parameters is not None}
        return min(totals) if totals else None

    @property
    def parameters_checked(self) -> bool | None:
        """What the rung `parameters` says over all records; None where none has it."""
        passed = [
            rung.passed
            for record in self.records
            if record.parity is not None
            for rung in record.parity.rungs
            if rung.rung == "parameters"
        ]
        return all(passed) if passed else None


def group(run: RunModel, records: Iterable[Record]) -> tuple[CellResults, ...]:
    """One value for each cell of the plan, by workload, device and backend."""
    planned: dict[Cell, list[TrialModel]] = {}
    for trial in run.trials:
        planned.setdefault(trial.cell, []).append(trial)
    # from the plan, not from the records: a cell without any record still has its row
    found: dict[Cell, list[Record]] = {cell: [] for cell in planned}
    for record in records:
        found[record.cell].append(record)
    return tuple(
        CellResults(cell=cell, planned=tuple(planned[cell]), records=tuple(found[cell]))
        for cell in sorted(planned, key=place)
    )


def place(cell: Cell) -> tuple[int, str, str, str, int, str]:
    """Where a cell stands: workloads as in the table of workloads, the CPU before a GPU.

    Of one backend the mode that a user gets without asking comes first.
    """
    known = list(WORKLOADS)
    position = known.index(cell.workload) if cell.workload in WORKLOADS else len(known)
    mode = MODES.index(cell.execution.mode)
    return position, cell.workload, cell.execution.device, cell.backend, mode, cell.label


def workloads(cells: Sequence[CellResults]) -> tuple[str, ...]:
    """The names of the workloads, once each, in the order of the cells."""
    return tuple(dict.fromkeys(results.cell.workload for results in cells))


def by_device(cells: Iterable[CellResults]) -> dict[str, list[CellResults]]:
    """Device to its cells; a figure a device, since a GPU's times vanish beside a CPU's."""
    found: dict[str, list[CellResults]] = {}
    for results in cells:
        found.setdefault(results.cell.execution.device, []).append(results)
    return found


def backends(cells: Sequence[CellResults]) -> tuple[str, ...]:
    return tuple(sorted({results.cell.backend for results in cells}))


def timed(run: RunModel) -> bool:
    """Whether there was anything to time; a cell that its pilot gave up counts too."""
    return any(trial.kind == "timing" for trial in run.trials)


def rounds(run: RunModel) -> int:
    """Rounds of timing that were planned."""
    return len({trial.round for trial in run.trials if trial.round is not None})
