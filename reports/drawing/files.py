"""The files of a figure: a PNG, and for all but pixel art an SVG, each with its description."""

import io
from collections.abc import Iterator
from pathlib import PurePath

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from reports.drawing import png, svg
from reports.drawing.frame import add_frame
from reports.drawing.png import SIGNATURE, SOFTWARE
from reports.drawing.style import DRAWN_BY
from reports.results.report import Report

SUFFIXES = (".png", ".svg")


def figure_files(
    file: str, figure: Figure, title: str, report: Report
) -> Iterator[tuple[str, bytes]]:
    """Yield the PNG called `file` and the SVG beside it, both with title and caption."""
    add_frame(figure, title, report)
    yield from save_files(file, figure)


def save_files(file: str, figure: Figure) -> Iterator[tuple[str, bytes]]:
    """Yield the PNG called `file` and the SVG beside it, as they are."""
    yield file, as_png(figure)
    yield svg_file(file), as_svg(figure)


def pixel_file(file: str, figure: Figure, title: str, report: Report) -> tuple[str, bytes]:
    """Return the PNG of a figure that is made of pixels, with title and caption."""
    add_frame(figure, title, report)
    return file, as_png(figure)


def svg_file(file: str) -> str:
    """Return the name of the SVG beside the PNG called `file`."""
    return str(PurePath(file).with_suffix(".svg"))


def as_png(figure: Figure) -> bytes:
    """Return the figure's PNG, with its software; the same software writes the same bytes."""
    content = io.BytesIO()
    FigureCanvasAgg(figure)
    figure.savefig(content, format="png", metadata={SOFTWARE: DRAWN_BY})
    return content.getvalue()


def as_svg(figure: Figure) -> bytes:
    """Return the figure's SVG, with its software; the same software writes the same bytes."""
    content = io.BytesIO()
    figure.savefig(content, format="svg", metadata={"Creator": DRAWN_BY, "Date": None})
    return content.getvalue()


def add_description(content: bytes, text: str) -> bytes:
    """Add a description, for readers who have the picture without its report."""
    if content.startswith(SIGNATURE):
        return png.add_description(content, text)
    return svg.add_description(content, text)


def texts(content: bytes) -> dict[str, str]:
    """Return the texts in a picture by keyword, as far as a damaged picture can be read."""
    return png.texts(content) if content.startswith(SIGNATURE) else svg.texts(content)
