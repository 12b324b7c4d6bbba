"""The confusion matrices: a panel per cell of a workload."""

import math
from collections.abc import Iterator, Sequence

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.spec import CLASSES
from reports.drawing.files import pixel_file
from reports.drawing.style import house_style
from reports.results.names import framework
from reports.results.predictions import Predictions
from reports.results.report import Report
from reports.text import file_name

DIAGONAL = "#DDDDDD"
# in inches; a panel is a square of SIDE with room for its title and the names of its axes
COLUMNS = 2
WIDTH = 3.75
HEIGHT = 4.05
SIDE = 3.2
LEFT = 0.45
BOTTOM = 0.4


def figure_file(workload: str) -> str:
    return f"confusion-{file_name(workload)}.png"


def figures(report: Report) -> Iterator[tuple[str, bytes]]:
    """Yield the PNG of a figure per workload with predictions, by name."""
    with house_style():
        for workload in report.workloads:
            if workload.predictions:
                seed = workload.predictions[0].seed
                title = f"{workload.name}, seed {seed}: number of test images by class"
                figure = confusions(workload.predictions)
                yield pixel_file(figure_file(workload.name), figure, title, report)


def confusions(cells: Sequence[Predictions]) -> Figure:
    """Return a figure with a panel per cell.

    Each panel has its own scale of colours: on a common scale a bad cell makes all others pale.
    """
    rows = math.ceil(len(cells) / COLUMNS)
    width = WIDTH * min(COLUMNS, len(cells))
    height = HEIGHT * rows
    figure = Figure(figsize=(width, height))
    for number, predictions in enumerate(cells):
        row, column = divmod(number, COLUMNS)
        left, bottom = WIDTH * column + LEFT, HEIGHT * (rows - 1 - row) + BOTTOM
        place = (left / width, bottom / height, SIDE / width, SIDE / height)
        draw(figure.add_axes(place), predictions)
    return figure


def mistakes(predictions: Predictions) -> np.ma.MaskedArray[tuple[int, int], np.dtype[np.int64]]:
    """Return the confusion matrix without its diagonal, whose large counts would hide mistakes."""
    return np.ma.masked_array(predictions.confusion, mask=np.eye(CLASSES, dtype=bool))


def draw(axes: Axes, predictions: Predictions) -> None:
    wrong = mistakes(predictions)
    most = max(int(wrong.max()), 1)
    shades = colormaps["Blues"].with_extremes(bad=DIAGONAL)
    axes.imshow(wrong, cmap=shades, vmin=0, vmax=most)
    for (true_class, predicted), images in np.ndenumerate(predictions.confusion):
        # an empty square is a zero: about 60 zeros would hide the other numbers
        if images:
            dark = true_class != predicted and images > 0.6 * most
            axes.text(
                predicted, true_class, str(images), ha="center", va="center",
                fontsize=8, color="white" if dark else "black",
            )  # fmt: skip
    name = framework(predictions.results.cell.backend)
    axes.set_title(f"{name}\n{predictions.results.device}", fontsize=9)
    axes.set_xticks(range(CLASSES))
    axes.set_yticks(range(CLASSES))
    axes.tick_params(length=0)
    axes.set_xlabel("predicted")
    axes.set_ylabel("class")
