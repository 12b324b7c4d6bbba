"""Records by cell, in the report's order, with the figures that each cell may show."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from bench.record import Record, TrialModel
from bench.record.quantities import single_steps
from bench.record.run import RunModel
from bench.record.selection import by_round, comparable, ranked
from bench.spec import MODES, Cell, TrialKind, Workload
from bench.workloads import WORKLOADS
from reports.results.accuracy import Accuracy, accuracy
from reports.results.settings import Values, in_force
from reports.results.speed import LANES, Speed, speed


@dataclass(frozen=True, kw_only=True)
class CellResults:
    """A cell: the trials planned for it, its records, and the figures that they allow.

    No timing without parity: one trial that failed it withholds every figure of the cell.
    """

    cell: Cell
    planned: tuple[TrialModel, ...]
    records: tuple[Record, ...]

    @property
    def withheld(self) -> bool:
        """Return whether the cell shows no figure, because a trial failed parity."""
        return any(record.status == "parity_failed" for record in self.records)

    @property
    def failed_training(self) -> bool:
        """Return whether a training came to nothing: the speed of its steps says nothing then."""
        return any(record.status == "failed_training" for record in self.records)

    @property
    def complete(self) -> bool:
        """Return whether every planned trial has a good record."""
        good = sum(record.status == "ok" for record in self.records)
        return good == len(self.planned) and not self.withheld

    @property
    def unsupported(self) -> bool:
        """Return whether every record says that the backend has no such cell."""
        return {record.status for record in self.records} == {"unsupported"}

    @property
    def missing(self) -> tuple[TrialModel, ...]:
        """Return the planned trials without a record."""
        recorded = {record.name for record in self.records}
        return tuple(trial for trial in self.planned if trial.name not in recorded)

    def good(self, kind: TrialKind) -> list[Record]:
        """Return the records of this kind from which figures may be made."""
        if self.withheld:
            return []
        return [one for one in self.records if one.status == "ok" and one.trial.kind == kind]

    # cached, as all figures below: every table and figure asks for them
    @cached_property
    def ranked(self) -> list[Record]:
        """Return one good timing trial per round, in order: that of its last attempt."""
        return ranked(self.good("timing"))

    @cached_property
    def speed(self) -> Speed | None:
        """Return the speed over the rounds; None if no timing trial is good."""
        return speed(self.ranked)

    @cached_property
    def speed_of_all(self) -> Speed | None:
        """Return the speed over all timing trials; None if no trial was repeated."""
        trials = self.good("timing")
        return speed(trials) if len(self.ranked) < len(trials) else None

    @cached_property
    def seconds(self) -> dict[str, dict[int, float]]:
        """Return the seconds per step that may be compared, by lane and round."""
        trials = comparable(self.ranked)
        return {lane: by_round(trials, quantity) for lane, quantity in LANES.items()}

    @cached_property
    def single_steps(self) -> list[float]:
        """Return the seconds of every single step of the latency lane, over all rounds."""
        return single_steps(self.ranked)

    @cached_property
    def accuracy(self) -> Accuracy | None:
        """Return the accuracy of the trainings of the workload's own epochs; None without one."""
        return accuracy(self.trained(longer=False))

    @cached_property
    def longer(self) -> Accuracy | None:
        """Return the accuracy of the trainings of more epochs; None without one."""
        return accuracy(self.trained(longer=True))

    def trained(self, *, longer: bool) -> list[Record]:
        """Return the good trainings of the workload's own epochs, or those of more epochs."""
        return [
            record
            for record in self.good("accuracy")
            if record.trial.accuracy is not None and record.trial.accuracy.longer is longer
        ]

    @cached_property
    def settings(self) -> dict[str, Values]:
        """Return the settings of the timed trials; of the trainings if nothing was timed."""
        return in_force(self.good("timing") or self.good("accuracy"))

    @property
    def workload(self) -> Workload | None:
        """Return the workload's definition; None if this samestep does not know it."""
        return WORKLOADS.get(self.cell.workload)

    @property
    def device(self) -> str:
        """Return the device with all that is not the default: `cuda:0, compiled, batch 256`."""
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
        """Return whether the batch size differs from the workload's own."""
        workload = self.workload
        return workload is None or self.cell.execution.batch_size != workload.batch_size

    @property
    def name(self) -> str:
        """Return backend and device, unique within a workload."""
        return f"{self.cell.backend} ({self.device})"

    @property
    def parameter_total(self) -> int | None:
        """Return the framework's own count of parameters; None if no record has it."""
        totals = {r.parameters.total for r in self.records if r.parameters is not None}
        return min(totals) if totals else None

    @property
    def parameters_checked(self) -> bool | None:
        """Return whether the rung `parameters` held in every record that has it; None without."""
        passed = [
            rung.passed
            for record in self.records
            if record.parity is not None
            for rung in record.parity.rungs
            if rung.rung == "parameters"
        ]
        return all(passed) if passed else None


def group(run: RunModel, records: Iterable[Record]) -> tuple[CellResults, ...]:
    """Return the cells of the plan with their records, by workload, device and backend."""
    planned: dict[Cell, list[TrialModel]] = {}
    for trial in run.trials:
        planned.setdefault(trial.cell, []).append(trial)
    # from the plan, not from the records: a cell without any record still has its row
    by_cell: dict[Cell, list[Record]] = {cell: [] for cell in planned}
    for record in records:
        by_cell[record.cell].append(record)
    return tuple(
        CellResults(cell=cell, planned=tuple(planned[cell]), records=tuple(by_cell[cell]))
        for cell in sorted(planned, key=place)
    )


def place(cell: Cell) -> tuple[int, str, str, str, int, str]:
    """Return the key by which cells are sorted: workloads as in their table, the CPU before a GPU.

    The mode that a user gets without asking comes before the backend's other modes.
    """
    known = list(WORKLOADS)
    position = known.index(cell.workload) if cell.workload in WORKLOADS else len(known)
    mode = MODES.index(cell.execution.mode)
    return position, cell.workload, cell.execution.device, cell.backend, mode, cell.label


def workloads(cells: Sequence[CellResults]) -> tuple[str, ...]:
    """Return the names of the workloads, once each, in the order of the cells."""
    return tuple(dict.fromkeys(results.cell.workload for results in cells))


def by_device(cells: Iterable[CellResults]) -> dict[str, list[CellResults]]:
    """Return the cells by device, for one figure per device: a GPU's bars vanish beside a CPU's."""
    groups: dict[str, list[CellResults]] = {}
    for results in cells:
        groups.setdefault(results.cell.execution.device, []).append(results)
    return groups


def backends(cells: Sequence[CellResults]) -> tuple[str, ...]:
    """Return the names of the backends, sorted."""
    return tuple(sorted({results.cell.backend for results in cells}))


def timed(run: RunModel) -> bool:
    """Return whether the plan times anything; a cell that its pilot gave up counts too."""
    return any(trial.kind == "timing" for trial in run.trials)


def rounds(run: RunModel) -> int:
    """Count the rounds of timing that were planned."""
    return len({trial.round for trial in run.trials if trial.round is not None})


def declared_seeds(run: RunModel) -> list[int]:
    """Return the seeds of the trainings of the workload's own epochs, sorted."""
    plans = [(trial.seed, trial.accuracy) for trial in run.trials]
    return sorted({seed for seed, plan in plans if plan is not None and not plan.longer})
