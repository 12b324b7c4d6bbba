"""The frame of a figure: its title and stamp above, and below what a reader needs to cite it."""

import textwrap
from collections.abc import Sequence
from typing import Any

from matplotlib.figure import Figure
from matplotlib.transforms import Bbox

from reports.drawing.style import GREY, STAMP_COLOUR, drawable
from reports.results.caption import NO_BREAK
from reports.results.report import Report
from reports.text import one_line

# in inches; whole numbers of dots, so that the pixels of a gallery stay whole squares
MARGIN = 0.1
TITLE_LINE = 0.2
CAPTION_LINE = 0.14
TITLE_SIZE = 10
CAPTION_SIZE = 6.2
# characters per inch of the widest usual text: DejaVu Sans, bold for the title
TITLE_CHARACTERS = 10
CAPTION_CHARACTERS = 21


def add_frame(figure: Figure, title: str, report: Report) -> None:
    """Make the figure higher, and write title, stamp and caption into the new space.

    All that was drawn before keeps its size and moves up, above the caption.
    """
    settle(figure)
    width, height = figure.get_size_inches()
    titles = wrap(title, TITLE_CHARACTERS * width)
    stamps = wrap(report.stamp, TITLE_CHARACTERS * width)
    captions = wrap(report.caption.line, CAPTION_CHARACTERS * width)
    below = MARGIN + CAPTION_LINE * len(captions)
    stamps_top = below + height + TITLE_LINE * len(stamps)
    titles_top = stamps_top + TITLE_LINE * len(titles)
    whole = titles_top + MARGIN
    figure.set_size_inches(width, whole)
    move(figure, below / whole, height / whole)
    write(figure, titles, titles_top, TITLE_LINE, size=TITLE_SIZE, weight="bold")
    write(
        figure, stamps, stamps_top, TITLE_LINE, size=TITLE_SIZE, weight="bold", color=STAMP_COLOUR
    )
    write(figure, captions, below, CAPTION_LINE, size=CAPTION_SIZE, color=GREY)


def wrap(text: str, characters: float) -> list[str]:
    """Return the text in lines of at most so many characters, all with a shape in the font."""
    # a no-break space is not printable, but holds a part of the caption together
    line = NO_BREAK.join(map(one_line, text.split(NO_BREAK)))
    return textwrap.wrap(drawable(line), int(characters))


def write(figure: Figure, lines: Sequence[str], top: float, height: float, **style: Any) -> None:
    """Write lines of this height below each other; `top`, in inches, counts from the bottom."""
    width, whole = figure.get_size_inches()
    for number, text in enumerate(lines):
        y = (top - height * (number + 0.5)) / whole
        figure.text(MARGIN / width, y, text, va="center", **style)


def settle(figure: Figure) -> None:
    """Let Matplotlib place all parts a last time: its layout knows nothing of the new space."""
    if figure.get_layout_engine() is not None:
        figure.draw_without_rendering()
        figure.set_layout_engine("none")


def move(figure: Figure, bottom: float, height: float) -> None:
    """Move all that was drawn into a part of the figure, given as shares of its height."""
    for axes in figure.axes:
        place = axes.get_position(original=True)
        axes.set_position(
            (place.x0, bottom + height * place.y0, place.width, height * place.height)
        )
    for legend in figure.legends:
        legend.set_bbox_to_anchor(Bbox.from_bounds(0, bottom, 1, height), figure.transFigure)
