"""The galleries: test images with what was predicted for them. Each is one array in one axes."""

from collections.abc import Iterator, Sequence
from itertools import accumulate

import matplotlib
import matplotlib.style
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from reports.drawing.style import STYLE, png
from reports.results.cells import CellResults, workloads
from reports.results.predictions import Predictions, images_and_classes, predictions
from reports.results.shown_images import Band, band_of_all, bands
from reports.text import file_name

# in pixels of an MNIST image, each of which becomes a square of SCALE by SCALE dots
SCALE = 3
SIDE = 28
COLUMNS = 9
COLUMN = 40
ROW = 54
LINE = 13
PAPER = 255
LEFT = (COLUMN - SIDE) // 2


def galleries(cells: Sequence[CellResults], stamp: str = "") -> Iterator[tuple[str, bytes]]:
    """File name and PNG of a gallery for each cell, and for what all cells of a workload miss."""
    with matplotlib.style.context(["default", STYLE]):
        for name in workloads(cells):
            found = predictions([one for one in cells if one.cell.workload == name])
            together = band_of_all(found)
            if together is not None:
                yield shared_file(name), png(gallery(head(found[0], stamp), [together]), "")
            for one in found:
                titles = head(one, one.results.name, stamp)
                yield gallery_file(one.results), png(gallery(titles, bands(one)), "")


def gallery_file(results: CellResults) -> str:
    return f"images-{file_name(results.cell.label)}.png"


def shared_file(workload: str) -> str:
    return f"wrong-in-all-{file_name(workload)}.png"


def head(one: Predictions, *further: str) -> list[str]:
    """What a gallery is about, a line each; there may be no stamp."""
    return [f"{one.results.cell.workload}, seed {one.seed}", *filter(None, further)]


def gallery(titles: Sequence[str], shown: Sequence[Band]) -> Figure:
    """Bands of images below each other, each image above its caption."""
    tops = list(accumulate(map(height, shown), initial=LINE * len(titles)))
    sheet = np.full((tops[-1], COLUMNS * COLUMN), PAPER, dtype=np.uint8)
    figure = figure_of(sheet)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    for line, text in enumerate(titles):
        axes.text(LEFT, LINE * (line + 0.5), text, va="center", fontsize=10, fontweight="bold")
    for top, band in zip(tops, shown, strict=False):
        draw(axes, sheet, top, band)
    axes.imshow(sheet, cmap="gray", vmin=0, vmax=PAPER, interpolation="nearest")
    return figure


def height(band: Band) -> int:
    return LINE + ROW * -(-len(band.images) // COLUMNS)


def figure_of(sheet: NDArray[np.uint8]) -> Figure:
    """An empty figure of so many dots that each pixel of the sheet is a whole number of them."""
    rows, columns = sheet.shape
    pixels = matplotlib.rcParams["figure.dpi"] / SCALE
    return Figure(figsize=(columns / pixels, rows / pixels))


def draw(axes: Axes, sheet: NDArray[np.uint8], top: int, band: Band) -> None:
    """A band's title and captions into the axes, its images into the sheet."""
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
