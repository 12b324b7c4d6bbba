"""The card: speed-ups against one baseline, with all that a reader needs to cite them."""

import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import cycle
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.lines import Line2D
from matplotlib.textpath import TextPath
from matplotlib.ticker import FixedLocator, NullLocator, StrMethodFormatter

from bench.stats import Estimate
from reports.drawing.files import save_files
from reports.drawing.style import (
    BACKEND_COLOURS,
    FONT,
    colours_of,
    drawable,
    house_style,
    ratio_ticks,
)
from reports.results.card import Card, Point, Row, card
from reports.results.names import framework
from reports.results.report import Report
from reports.text import centre

# in pixels, all sizes and places below too; y counts from the top
WIDTH, HEIGHT = 1200, 780
DPI = 96
MARGIN = 40
LEFT = 300
FOOT = 132
ROW_OF_LEGEND = 44
LEGEND_COLUMNS = 3
SMALLEST_TEXT = 12
# in characters; a longer name is cut
LONGEST_BACKEND = 28
LONGEST_LINE = 20
LABEL_SLOT = 19
# the axis reaches at least from 1 / NARROWEST to NARROWEST, so that noise looks like noise
NARROWEST = 1.25
MARKERS = ("o", "s", "D", "^", "v", "P", "X", "<", ">")


@dataclass(frozen=True, kw_only=True)
class Theme:
    """The colours of a card besides those of backends."""

    paper: str
    text: str
    muted: str
    line: str
    band: str
    stamp: str

    def of_backend(self, colour: str) -> str:
        """Return the colour of a backend as it is visible on this paper."""
        return self.text if colour == "#000000" else colour


THEMES = {
    "light": Theme(
        paper="#FFFFFF", text="#1F2328", muted="#57606A", line="#D1D9E0", band="#F1F4F7",
        stamp="#A33600",
    ),
    "dark": Theme(
        paper="#0D1117", text="#E6EDF3", muted="#9DA7B1", line="#3D444D", band="#1A2029",
        stamp="#FFA657",
    ),
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Look:
    """A theme, with colour and marker per backend."""

    theme: Theme
    colours: Mapping[str, str]
    markers: Mapping[str, str]


def figure_file(theme: str, name: str = "card") -> str:
    return f"{name}-{theme}.png"


def figures(report: Report) -> Iterator[tuple[str, bytes]]:
    """Yield the files of the card in each theme, by name; nothing if there is no card."""
    shown = card(report)
    if shown is not None:
        yield from card_files(shown)


def card_files(shown: Card, name: str = "card") -> Iterator[tuple[str, bytes]]:
    """Yield the PNG and the SVG of a card in each theme; `name` begins the names of the files."""
    with house_style():
        for key, theme in THEMES.items():
            yield from save_files(figure_file(key, name), draw(shown, look(shown, theme)))


def look(shown: Card, theme: Theme) -> Look:
    """Return colour and marker per backend: always the same for ours, then those of plug-ins."""
    names = [*BACKEND_COLOURS, *sorted(set(shown.backends) - BACKEND_COLOURS.keys())]
    colours = colours_of(shown.backends)
    return Look(
        theme=theme,
        colours={name: theme.of_backend(colour) for name, colour in colours.items()},
        markers=dict(zip(names, cycle(MARKERS), strict=False)),
    )


def draw(shown: Card, style: Look) -> Figure:
    """Return the card as a figure of `WIDTH` by `HEIGHT` pixels."""
    figure = Figure(figsize=(WIDTH / DPI, HEIGHT / DPI), dpi=DPI, facecolor=style.theme.paper)
    top = head(figure, shown, style.theme)
    top = legend(figure, shown, style, top)
    place = (LEFT / WIDTH, FOOT / HEIGHT, 1 - (LEFT + MARGIN) / WIDTH, 1 - (top + FOOT) / HEIGHT)
    axes = figure.add_axes(place, facecolor="none")
    frame(axes, shown, style)
    for number, row in enumerate(shown.rows):
        draw_row(axes, number, row, shown, style)
    foot(figure, shown, style.theme)
    return figure


def head(figure: Figure, shown: Card, theme: Theme) -> int:
    """Write title, details, stamp and what is shown; return where the next part begins."""
    write(figure, MARGIN, 50, shown.title, size=34, color=theme.text, weight="bold")
    write(figure, MARGIN, 94, shown.details, size=20, color=theme.muted)
    top = 134
    if shown.stamp:
        write(figure, MARGIN, top, shown.stamp, size=24, color=theme.stamp, weight="bold")
        top += 40
    quantity = f"Speed of a full training loop: 1x = {shown.unit}, right is faster (log scale)"
    write(figure, MARGIN, top, quantity, size=25, color=theme.text)
    return top + 24


def write(figure: Figure, x: float, y: float, text: str, *, size: float, **style: Any) -> None:
    """Write one line at this place, smaller if it does not fit between here and the margin."""
    words = drawable(text)
    fitting = fitting_size(words, size, WIDTH - MARGIN - x, style.get("weight", "normal"))
    figure.text(x / WIDTH, 1 - y / HEIGHT, words, va="center", size=to_points(fitting), **style)


def fitting_size(text: str, size: float, room: float, weight: str = "normal") -> float:
    """Return `size` in pixels, or the largest size at which the text is no wider than `room`."""
    font = FontProperties(family=FONT, weight=weight)
    width = TextPath((0, 0), text, size=size, prop=font).get_extents().width if text else 0.0
    return size if width <= room else max(SMALLEST_TEXT, size * room / width)


def to_points(pixels: float) -> float:
    """Return a size in points, in which Matplotlib has sizes of fonts, lines and markers."""
    return pixels * 72 / DPI


def legend(figure: Figure, shown: Card, style: Look, top: int) -> int:
    """Draw marker, name and first speed-up of each backend; return where the next part begins."""
    column = (WIDTH - 2 * MARGIN) / LEGEND_COLUMNS
    for number, name in enumerate(shown.backends):
        down, across = divmod(number, LEGEND_COLUMNS)
        x, y = MARGIN + column * across, top + ROW_OF_LEGEND * (down + 0.5)
        point = shown.summary.get(name)
        is_filled = point is None or point.is_shown
        figure.add_artist(
            marker(style, name, (x + 12) / WIDTH, 1 - y / HEIGHT, 18, is_filled=is_filled)
        )
        text = f"{cut(framework(name), LONGEST_BACKEND)} {value_of(name, shown)}"
        size = fitting_size(text, 24, column - 60, "bold")
        figure.text(
            (x + 32) / WIDTH, 1 - y / HEIGHT, text, va="center", size=to_points(size),
            color=style.theme.text, weight="bold",
        )  # fmt: skip
    return top + ROW_OF_LEGEND * -(-len(shown.backends) // LEGEND_COLUMNS) + 8


def cut(text: str, length: int) -> str:
    """Return the text, cut with an ellipsis if it is longer than so many characters."""
    return text if len(text) <= length else f"{text[: length - 1]}…"


def value_of(name: str, shown: Card) -> str:
    """Return the speed-up that stands for the whole card; empty if the backend has none."""
    point = shown.summary.get(name)
    if point is not None:
        return f"{centre(point.speedup)}x"
    return "1x" if name == shown.baseline else ""


def marker(style: Look, name: str, x: float, y: float, pixels: float, *, is_filled: bool) -> Line2D:
    """Return the marker of a backend, hollow if its value is not shown to differ."""
    colour = style.colours[name]
    return Line2D(
        [x], [y], ls="", marker=style.markers[name], color=colour, markersize=to_points(pixels),
        markeredgewidth=to_points(2.5), markerfacecolor=colour if is_filled else style.theme.paper,
    )  # fmt: skip


def frame(axes: Axes, shown: Card, style: Look) -> None:
    """Set a logarithmic axis that holds all intervals and 1, and name the rows."""
    theme = style.theme
    low, high = limits(shown)
    axes.set_xscale("log")
    axes.set_xlim(low, high)
    axes.set_ylim(len(shown.rows) - 0.5, -0.5)
    axes.xaxis.set_major_locator(FixedLocator(ratio_ticks(low, high)))
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:g}x"))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.tick_params(axis="x", labelsize=to_points(20), labelcolor=theme.text, color=theme.line)
    axes.grid(visible=True, axis="x", color=theme.line, linewidth=1)
    axes.spines[:].set_visible(False)
    colour = theme.muted if shown.baseline is None else style.colours[shown.baseline]
    axes.axvline(1, color=colour, linewidth=to_points(3), zorder=1)
    axes.set_yticks([])
    for number, row in enumerate(shown.rows):
        name_row(axes, number, row, theme)


def limits(shown: Card) -> tuple[float, float]:
    """Return the ends of the axis, with room at the right for a number."""
    ends = [end for row in shown.rows for point in row.points for end in ends_of(point.speedup)]
    low, high = min([1 / NARROWEST, *ends]), max([NARROWEST, *ends])
    span = high / low
    return low / span**0.03, high * span**0.1


def ends_of(speedup: Estimate) -> tuple[float, float]:
    """Return the ends of the interval; both are the value if there is no interval."""
    if speedup.low is None or speedup.high is None:
        return speedup.value, speedup.value
    return speedup.low, speedup.high


def name_row(axes: Axes, number: int, row: Row, theme: Theme) -> None:
    """Write the name of the row to the left of it, with a band behind every other row."""
    lines = textwrap.wrap(row.name, LONGEST_LINE, max_lines=2, placeholder="…")
    weight = "bold" if row.is_mean else "normal"
    size = min(fitting_size(line, 22, LEFT - MARGIN - 16, weight) for line in lines)
    if number % 2 == 0:
        axes.axhspan(number - 0.5, number + 0.5, color=theme.band, zorder=0)
    axes.annotate(
        "\n".join(lines), (0, number), xycoords=("axes fraction", "data"), va="center", ha="right",
        xytext=(-to_points(16), 0), textcoords="offset points", size=to_points(size),
        color=theme.text, weight=weight, annotation_clip=False,
    )  # fmt: skip


def draw_row(axes: Axes, number: int, row: Row, shown: Card, style: Look) -> None:
    """Draw the points of a row below each other, in the order of the legend."""
    names = [name for name in shown.backends if name != shown.baseline]
    row_pixels = axes.get_position().height * HEIGHT / len(shown.rows)
    slot = 0.86 / len(names)
    for point in row.points:
        y = number - 0.43 + slot * (names.index(point.backend) + 0.5)
        draw_point(axes, y, point, style, slot * row_pixels)
    if not row.points:
        axes.annotate(
            "not compared", (1, number), xytext=(8, 0), textcoords="offset points", va="center",
            size=to_points(18), color=style.theme.muted,
        )  # fmt: skip


def draw_point(axes: Axes, y: float, point: Point, style: Look, slot: float) -> None:
    """Draw interval and value, and the number if a slot of so many pixels has room for it."""
    colour = style.colours[point.backend]
    low, high = ends_of(point.speedup)
    axes.plot([low, high], [y, y], color=colour, linewidth=to_points(4), solid_capstyle="butt")
    pixels = max(11.0, min(18.0, 0.9 * slot))
    axes.add_line(
        marker(style, point.backend, point.speedup.value, y, pixels, is_filled=point.is_shown)
    )
    if slot >= LABEL_SLOT:
        axes.annotate(
            centre(point.speedup), (high, y), xytext=(to_points(16), 0), textcoords="offset points",
            va="center", size=to_points(18), color=style.theme.text,
        )  # fmt: skip


def foot(figure: Figure, shown: Card, theme: Theme) -> None:
    """Write the marks, what a hollow marker means, and by what the run is cited."""
    is_hollow = any(not point.is_shown for row in shown.rows for point in row.points)
    marks = [*shown.marks, *(["hollow: difference not shown"] if is_hollow else [])]
    write(figure, MARGIN, HEIGHT - 66, "   |   ".join(marks), size=22, color=theme.text)
    write(figure, MARGIN, HEIGHT - 28, shown.source, size=19, color=theme.muted)
