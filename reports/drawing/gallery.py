"""The galleries: test images with their predictions. Each gallery is one array in one axes."""

from collections.abc import Iterator, Sequence
from itertools import accumulate

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from reports.drawing.style import house_style, png
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
    """Yield the galleries of all workloads, as file names and PNGs."""
    with house_style():
        for workload in report.workloads:
            yield from galleries(workload, report.stamp)


def galleries(workload: WorkloadResults, stamp: str) -> Iterator[tuple[str, bytes]]:
    """Yield a gallery of the images that all cells get wrong, and a gallery per cell."""
    predictions, common = workload.predictions, workload.band_of_all
    if common is not None:
        figure = gallery(head(predictions[0], stamp), [common])
        yield common_mistakes_file(workload.name), png(figure, "")
    for cell_predictions, bands in zip(predictions, workload.bands, strict=True):
        titles = head(cell_predictions, cell_predictions.results.name, stamp)
        yield gallery_file(cell_predictions.results), png(gallery(titles, bands), "")


def head(predictions: Predictions, *further: str) -> list[str]:
    """Return the lines above a gallery: workload, seed and what is in `further`, if not empty."""
    return [f"{predictions.results.cell.workload}, seed {predictions.seed}", *filter(None, further)]


def gallery(titles: Sequence[str], bands: Sequence[Band]) -> Figure:
    """Return a figure with bands of images below each other, each image above its caption."""
    tops = list(accumulate(map(height, bands), initial=LINE * len(titles)))
    sheet = np.full((tops[-1], COLUMNS * COLUMN), PAPER, dtype=np.uint8)
    figure = sheet_figure(sheet)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    for line, text in enumerate(titles):
        axes.text(LEFT, LINE * (line + 0.5), text, va="center", fontsize=10, fontweight="bold")
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
