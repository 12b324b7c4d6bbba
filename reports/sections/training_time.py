"""Where the time of a whole training goes, from the start of its process to its last prediction."""

from collections.abc import Iterator, Sequence

from reports.drawing.training_time import phases_file
from reports.results.cells import CellResults, by_device
from reports.results.training_time import PHASES, phases
from reports.sections.columns import named
from reports.text import image, number, table

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


def row(results: CellResults) -> list[str]:
    seconds = phases(results)
    return [
        *named(results),
        *(number(seconds.get(name)) for name in PHASES),
        number(sum(seconds.values())),
        str(len(results.trained(longer=False))),
    ]
