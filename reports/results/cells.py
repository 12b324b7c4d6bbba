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
from reports.results.names import framework
from reports.results.settings import Values, collect_settings
from reports.results.speed import LANES, Speed, speed


@dataclass(frozen=True, kw_only=True)
class CellResults:
    """A cell: the trials planned for it, its records, and the figures that they allow.

    No timing without parity: one trial that failed it withholds every figure of the cell.
    """

    cell: Cell
    planned_trials: tuple[TrialModel, ...]
    records: tuple[Record, ...]

    @property
    def is_withheld(self) -> bool:
        """Return whether the cell shows no figure, because a trial failed parity."""
        return any(record.status == "parity_failed" for record in self.records)

    @property
    def has_failed_training(self) -> bool:
        """Return whether a training failed: then the speed of its steps says nothing."""
        return any(record.status == "failed_training" for record in self.records)

    @property
    def certificate_holds(self) -> bool | None:
        """Return whether all planned parity trials are good; None if none was planned."""
        planned = [trial for trial in self.planned_trials if trial.kind == "parity"]
        good = self.good_records("parity")
        return len(good) == len(planned) if planned else None

    @property
    def is_complete(self) -> bool:
        """Return whether every planned trial has a good record."""
        good = sum(record.status == "ok" for record in self.records)
        return good == len(self.planned_trials) and not self.is_withheld

    @property
    def is_unsupported(self) -> bool:
        """Return whether every record says that the backend has no such cell."""
        return {record.status for record in self.records} == {"unsupported"}

    @property
    def missing_trials(self) -> tuple[TrialModel, ...]:
        """Return the planned trials without a record."""
        recorded = {record.name for record in self.records}
        return tuple(trial for trial in self.planned_trials if trial.name not in recorded)

    def good_records(self, kind: TrialKind) -> list[Record]:
        """Return the records of this kind from which figures may be computed."""
        if self.is_withheld:
            return []
        return [
            record for record in self.records if record.status == "ok" and record.trial.kind == kind
        ]

    # cached, as all figures below: every table and figure asks for them
    @cached_property
    def ranked_records(self) -> list[Record]:
        """Return one good timing trial per round, in order: that of its last attempt."""
        return ranked(self.good_records("timing"))

    @cached_property
    def speed(self) -> Speed | None:
        """Return the speed over the rounds; None if no timing trial is good."""
        return speed(self.ranked_records)

    @cached_property
    def speed_of_all(self) -> Speed | None:
        """Return the speed over all timing trials; None if no trial was repeated."""
        trials = self.good_records("timing")
        return speed(trials) if len(self.ranked_records) < len(trials) else None

    @cached_property
    def seconds(self) -> dict[str, dict[int, float]]:
        """Return the seconds per step that may be compared, by lane and round."""
        trials = comparable(self.ranked_records)
        return {lane: by_round(trials, quantity) for lane, quantity in LANES.items()}

    @cached_property
    def single_steps(self) -> list[float]:
        """Return the seconds of every single step of the latency lane, over all rounds."""
        return single_steps(self.ranked_records)

    @cached_property
    def accuracy(self) -> Accuracy | None:
        """Return the accuracy over the trainings of the workload's own epochs; None without any."""
        return accuracy(self.good_trainings(longer=False))

    @cached_property
    def longer_accuracy(self) -> Accuracy | None:
        """Return the accuracy over the trainings of more epochs; None without any."""
        return accuracy(self.good_trainings(longer=True))

    def good_trainings(self, *, longer: bool) -> list[Record]:
        """Return the good trainings of the workload's own epochs, or those of more epochs."""
        return [
            record
            for record in self.good_records("accuracy")
            if record.trial.accuracy is not None and record.trial.accuracy.longer is longer
        ]

    @cached_property
    def settings(self) -> dict[str, Values]:
        """Return the settings of the timed trials; of the trainings if nothing was timed."""
        return collect_settings(self.good_records("timing") or self.good_records("accuracy"))

    @property
    def workload(self) -> Workload | None:
        """Return the workload's definition; None if this samestep does not know it."""
        return WORKLOADS.get(self.cell.workload)

    @property
    def device(self) -> str:
        """Return the device and what is not the default: `cuda:0, compiled, batch 256`."""
        execution = self.cell.execution
        parts = [execution.device]
        parts += [execution.mode] if execution.mode != "default" else []
        parts += [execution.precision] if execution.precision != "float32" else []
        parts += ["stock optimizer"] if execution.optimizer != "matched" else []
        parts += [f"{execution.threads} threads"] if execution.threads is not None else []
        parts += [f"batch {execution.batch_size}"] if self.has_other_batch_size else []
        return ", ".join(parts)

    @property
    def has_other_batch_size(self) -> bool:
        """Return whether the batch size differs from the workload's own."""
        workload = self.workload
        return workload is None or self.cell.execution.batch_size != workload.batch_size

    @property
    def name(self) -> str:
        """Return backend and device, unique within a workload: `pytorch (cpu)`."""
        return f"{self.cell.backend} ({self.device})"

    @property
    def title(self) -> str:
        """Return the name for a reader: `PyTorch (cpu)`."""
        return f"{framework(self.cell.backend)} ({self.device})"

    @property
    def parameter_total(self) -> int | None:
        """Return the framework's own count of parameters; None if no record has it."""
        totals = {r.parameters.total for r in self.records if r.parameters is not None}
        return min(totals) if totals else None

    @property
    def parameters_hold(self) -> bool | None:
        """Return whether the rung `parameters` held in all records; None if no record has it."""
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
        CellResults(cell=cell, planned_trials=tuple(planned[cell]), records=tuple(by_cell[cell]))
        for cell in sorted(planned, key=place)
    )


def place(cell: Cell) -> tuple[int, str, str, str, int, str]:
    """Return the key by which cells are sorted: workloads as in their table, the CPU before a GPU.

    The default mode comes before the backend's other modes.
    """
    known = list(WORKLOADS)
    position = known.index(cell.workload) if cell.workload in WORKLOADS else len(known)
    mode = MODES.index(cell.execution.mode)
    return position, cell.workload, cell.execution.device, cell.backend, mode, cell.label


def workloads(cells: Sequence[CellResults]) -> tuple[str, ...]:
    """Return the names of the workloads, once each, in the order of the cells."""
    return tuple(dict.fromkeys(results.cell.workload for results in cells))


def group_by_device(cells: Iterable[CellResults]) -> dict[str, list[CellResults]]:
    """Group the cells by device, for a figure per device: a GPU's bars vanish beside a CPU's."""
    groups: dict[str, list[CellResults]] = {}
    for results in cells:
        groups.setdefault(results.cell.execution.device, []).append(results)
    return groups


def backends(cells: Sequence[CellResults]) -> tuple[str, ...]:
    """Return the names of the backends, sorted."""
    return tuple(sorted({results.cell.backend for results in cells}))


def has_timing(run: RunModel) -> bool:
    """Return whether the plan has timing trials; those of a cell that its pilot gave up count."""
    return any(trial.kind == "timing" for trial in run.trials)


def rounds(run: RunModel) -> int:
    """Count the rounds of timing that were planned."""
    return len({trial.round for trial in run.trials if trial.round is not None})


def declared_seeds(run: RunModel) -> list[int]:
    """Return the seeds of the trainings of the workload's own epochs, sorted."""
    plans = [(trial.seed, trial.accuracy) for trial in run.trials]
    return sorted({seed for seed, plan in plans if plan is not None and not plan.longer})
