"""Wall time of a whole training, by phase."""

from statistics import median

from bench.record import AccuracyModel, TimingsModel
from reports.results.cells import CellResults

PHASES = ("start", "import", "build", "compile", "train", "evaluate", "check")


def phases(results: CellResults) -> dict[str, float]:
    """Seconds of each phase that a training of the cell has: medians over its trainings."""
    found = [
        of_training(record.timings, record.accuracy)
        for record in results.trained(longer=False)
        if record.accuracy is not None
    ]
    known = {
        name: [seconds for one in found if (seconds := one[name]) is not None] for name in PHASES
    }
    return {name: median(seconds) for name, seconds in known.items() if seconds}


def of_training(timings: TimingsModel, trained: AccuracyModel) -> dict[str, float | None]:
    """What one trial's timings add up to, by phase; None for one that it does not tell."""
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
    known = [one for one in seconds if one is not None]
    return sum(known) if known else None
