"""Where the time of a whole training goes, from the start of its process to its last prediction."""

from collections.abc import Iterator, Sequence
from statistics import median

from bench.record import AccuracyModel, TimingsModel
from reports.cells import CellResults, by_device, named
from reports.text import file_name, image, number, table

PHASES = ("start", "import", "build", "compile", "train", "evaluate", "check")
HEADERS = ["workload", "backend", "device", *PHASES, "all", "seeds"]


def section(cells: Sequence[CellResults]) -> Iterator[str]:
    trained = [one for one in cells if one.trained(longer=False)]
    if not trained:
        return
    yield "## Where a training's time goes"
    yield table(HEADERS, map(row, trained), ", ".join(HEADERS[3:]))
    yield (
        "Seconds, median over seeds. start: the process, reading the machine and the data, finding "
        "the device. build: model, weights and data in memory. compile: the first step, and those "
        "after it that compiled something anew; `fit` may compile once more, in the first epoch. "
        "train: all epochs. evaluate: after each epoch and at last, and the predictions. check: "
        "rungs of parity before and after."
    )
    for device in by_device(trained):
        yield image(
            f"Stacked bars of the seconds of a whole training on {device} by phase, for each "
            "workload and backend; the numbers are in the table above",
            f"figures/{phases_file(device)}",
        )


def phases_file(device: str) -> str:
    return f"phases-{file_name(device)}.png"


def row(results: CellResults) -> list[str]:
    seconds = phases(results)
    return [
        *named(results),
        *(number(seconds.get(name)) for name in PHASES),
        number(sum(seconds.values())),
        str(len(results.trained(longer=False))),
    ]


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
