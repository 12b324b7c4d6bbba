"""The wall time of a whole training, by phase."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from bench.record import AccuracyModel, Record, TimingsModel
from reports.results.cells import CellResults

PHASES = ("start", "import", "build", "compile", "train", "evaluate", "check")


@dataclass(frozen=True, kw_only=True)
class TrainingTime:
    """The trainings of a cell: seconds per phase, as medians over the trainings that have it."""

    results: CellResults
    phases: dict[str, float]
    trainings: int


def training_times(cells: Sequence[CellResults]) -> list[TrainingTime]:
    """Return the phases of every cell with a training of the workload's own epochs."""
    return [
        TrainingTime(results=results, phases=phases(records), trainings=len(records))
        for results in cells
        if (records := results.good_trainings(longer=False))
    ]


def phases(records: Sequence[Record]) -> dict[str, float]:
    """Return the median seconds of each phase that any of these trainings has."""
    trainings = [
        seconds_by_phase(record.timings, record.accuracy)
        for record in records
        if record.accuracy is not None
    ]
    known = {
        name: [seconds for training in trainings if (seconds := training[name]) is not None]
        for name in PHASES
    }
    return {name: median(seconds) for name, seconds in known.items() if seconds}


def seconds_by_phase(timings: TimingsModel, trained: AccuracyModel) -> dict[str, float | None]:
    """Return the seconds of one training by phase; None for a phase that its record lacks."""
    train = sum(epoch.seconds for epoch in trained.epochs)
    whole = timings.accuracy_seconds
    return {
        "start": total(timings.spawn_seconds, timings.environment_seconds, timings.device_seconds),
        "import": total(timings.import_seconds),
        "build": total(timings.build_seconds, timings.load_seconds),
        "compile": total(timings.first_step_seconds, timings.recompile_seconds),
        "train": train,
        "evaluate": None if whole is None else whole - train,
        "check": total(timings.parity_seconds),
    }


def total(*seconds: float | None) -> float | None:
    """Return the sum of the known values; None if none is known."""
    known = [value for value in seconds if value is not None]
    return sum(known) if known else None
