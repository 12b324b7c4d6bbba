"""The galleries: test images with their predictions. Each gallery is one array in one axes."""

from collections.abc import Iterator, Sequence
from itertools import accumulate

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from reports.drawing.files import pixel_file
from reports.drawing.style import house_style
from reports.results.cells import CellResults
from reports.results.predictions import Predictions, images_and_classes
from reports.results.report import Report
from reports.results.shown_images import Band
from reports.results.workload import WorkloadResults
from reports.text import file_name

# in pixels of an MNIST image; each pixel becomes a square of SCALE by SCALE dots
SCALE = 3
SIDE = 28
COLUMNS = 9
COLUMN = 40
ROW = 54
LINE = 13
PAPER = 255
LEFT = (COLUMN - SIDE) // 2


def gallery_file(results: CellResults) -> str:
    return f"images-{file_name(results.cell.label)}.png"


def common_mistakes_file(workload: str) -> str:
    return f"wrong-in-all-{file_name(workload)}.png"


def figures(report: Report) -> Iterator[tuple[str, bytes]]:
    """Yield the PNGs of the galleries of all workloads, by name."""
    with house_style():
        for workload in report.workloads:
            yield from galleries(workload, report)


def galleries(workload: WorkloadResults, report: Report) -> Iterator[tuple[str, bytes]]:
    """Yield a gallery of the images that all cells get wrong, and one of the first cell."""
    predictions, common = workload.predictions, workload.band_of_all
    if common is not None:
        title = f"{title_of(predictions[0])}: images that all configurations get wrong"
        yield pixel_file(common_mistakes_file(workload.name), gallery([common]), title, report)
    if predictions:
        first = predictions[0]
        title = f"{title_of(first)}: predictions of {first.results.title}"
        yield pixel_file(gallery_file(first.results), gallery(workload.bands), title, report)


def title_of(predictions: Predictions) -> str:
    """Return workload and seed, with which the titles begin."""
    return f"{predictions.results.cell.workload}, seed {predictions.seed}"


def gallery(bands: Sequence[Band]) -> Figure:
    """Return a figure with bands of images below each other, each image above its caption."""
    tops = list(accumulate(map(height, bands), initial=0))
    sheet = np.full((tops[-1], COLUMNS * COLUMN), PAPER, dtype=np.uint8)
    figure = sheet_figure(sheet)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    for top, band in zip(tops, bands, strict=False):
        draw(axes, sheet, top, band)
    axes.imshow(sheet, cmap="gray", vmin=0, vmax=PAPER, interpolation="nearest")
    return figure


def height(band: Band) -> int:
    """Return the rows of pixels that a band and its title take."""
    return LINE + ROW * -(-len(band.images) // COLUMNS)


def sheet_figure(sheet: NDArray[np.uint8]) -> Figure:
    """Return an empty figure in which each pixel of the sheet is a whole number of dots."""
    rows, columns = sheet.shape
    pixels = matplotlib.rcParams["figure.dpi"] / SCALE
    return Figure(figsize=(columns / pixels, rows / pixels))


def draw(axes: Axes, sheet: NDArray[np.uint8], top: int, band: Band) -> None:
    """Draw a band's title and captions into the axes, and its images into the sheet."""
    images, _ = images_and_classes()
    axes.text(LEFT, top + LINE / 2, band.title, va="center", fontsize=9)
    for place, image in enumerate(band.images):
        row, column = divmod(place, COLUMNS)
        down, across = top + LINE + ROW * row, LEFT + COLUMN * column
        sheet[down : down + SIDE, across : across + SIDE] = images[image.index]
        axes.text(
            across + SIDE / 2, down + SIDE + 1, image.caption,
            ha="center", va="top", fontsize=8, linespacing=1.05,
        )  # fmt: skip
