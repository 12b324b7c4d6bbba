"""The time of a whole training by phase, from the start of its process to its last prediction."""

from collections.abc import Iterator

from reports.drawing.training_time import figure_file
from reports.results.cells import group_by_device
from reports.results.report import Report
from reports.results.training_time import PHASES, TrainingTime
from reports.sections.columns import CELL_HEADERS, cell_names
from reports.text import figure, number, table

HEADERS = [*CELL_HEADERS, *PHASES, "all", "seeds"]


def section(report: Report) -> Iterator[str]:
    """Yield the phases of every trained cell; nothing if no cell was trained."""
    times = report.training_times
    if not times:
        return
    yield "## Where a training's time goes"
    yield table(HEADERS, map(row, times), ", ".join(HEADERS[3:]))
    yield (
        "Seconds, median over seeds. start: the process, reading the machine and the data, finding "
        "the device. build: model, weights and data in memory. compile: the first step, and those "
        "after it that compiled something again; `fit` may compile once more, in the first epoch. "
        "train: all epochs. evaluate: after each epoch and at last, and the predictions. check: "
        "the parity checks before and after."
    )
    for device in group_by_device(time.results for time in times):
        yield figure(
            f"Stacked bars of the seconds of a whole training on {device} by phase, for each "
            "network and framework; the numbers are in the table above",
            figure_file(device),
        )


def row(time: TrainingTime) -> list[str]:
    return [
        *cell_names(time.results),
        *(number(time.phases.get(name)) for name in PHASES),
        number(sum(time.phases.values())),
        str(time.trainings),
    ]
