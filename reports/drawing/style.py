"""The style of all figures: fonts, one colour per backend, ticks."""

import platform
from collections.abc import Collection, Sequence
from contextlib import AbstractContextManager
from functools import cache
from importlib import metadata
from itertools import cycle

import matplotlib.style
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator, StrMethodFormatter

from reports.results.cells import CellResults, backends, workloads
from reports.results.names import framework

# Okabe and Ito (2008): distinct with every common form of colour blindness; without yellow
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
# the same in every report, so that a reader who knows one figure can read all others
BACKEND_COLOURS = {
    "jax": COLOURS[0],
    "pytorch": COLOURS[1],
    "keras-tensorflow": COLOURS[2],
    "keras-torch": COLOURS[3],
    "keras-jax": COLOURS[4],
}
PLUG_IN_COLOURS = tuple(colour for colour in COLOURS if colour not in BACKEND_COLOURS.values())
MARKERS = ("o", "s", "^", "D", "v")
# if an axis of ratios spans more than this factor, ticks at 1, 2, 3, 5, 10 suffice
LONG_AXIS = 4.0
# the same for 1, 2, 5, 10
LONGER_AXIS = 20.0
GREY = "#666666"
STAMP_COLOUR = "#A33600"
WHITE_SHARE = 0.55
# the bytes of a figure depend on these: the picture, its compression and the arithmetic
DRAWN_BY = (
    f"matplotlib {metadata.version('matplotlib')}, pillow {metadata.version('pillow')}, "
    f"{platform.machine()}"
)
FONT = "DejaVu Sans"
STYLE = {
    "figure.dpi": 150,
    "font.family": FONT,
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 10,
    "axes.axisbelow": True,
    "grid.color": "#DDDDDD",
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    # names come from records; a dollar sign in one is not a formula
    "text.parse_math": False,
    # A picture in a page can load no font. With text as outlines it looks the same everywhere, and
    # no name from a record becomes markup; the description keeps it readable without eyes.
    "svg.fonttype": "path",
    # otherwise the names of its parts are random, and the bytes differ each time
    "svg.hashsalt": "samestep",
}


def house_style() -> AbstractContextManager[None]:
    """Return the context in which figures are drawn and written."""
    # "default" first: a user's own matplotlibrc must not change a report
    return matplotlib.style.context(["default", STYLE])


def drawable(text: str) -> str:
    """Return the text with a question mark for each character that the font lacks.

    Names of machines come from records, and Matplotlib warns of each character without a shape.
    """
    return "".join(c if ord(c) in characters() else "?" for c in text)


@cache
def characters() -> frozenset[int]:
    """Return the codes of the characters that the font has in both its weights."""
    fonts = [
        get_font(findfont(FontProperties(family=FONT, weight=weight)))
        for weight in ("normal", "bold")
    ]
    return frozenset.intersection(*(frozenset(font.get_charmap()) for font in fonts))


def backend_colours(cells: Sequence[CellResults]) -> dict[str, str]:
    """Return a colour per backend of these cells."""
    return colours_of(backends(cells))


def colours_of(names: Collection[str]) -> dict[str, str]:
    """Return a colour per backend: always the same for ours, then one per plug-in by its name."""
    plug_ins = sorted(name for name in names if name not in BACKEND_COLOURS)
    return {
        **{name: BACKEND_COLOURS[name] for name in names if name in BACKEND_COLOURS},
        **dict(zip(plug_ins, cycle(PLUG_IN_COLOURS), strict=False)),
    }


def lighten(colour: str) -> str:
    """Lighten the colour by mixing it with white; a transparent bar would show the grid."""
    red, green, blue = (1 - (1 - part) * (1 - WHITE_SHARE) for part in to_rgb(colour))
    return to_hex((red, green, blue))


def workload_panels(
    cells: Sequence[CellResults], inches: float
) -> tuple[Figure, list[tuple[Axes, list[CellResults]]]]:
    """Return a figure with a panel per workload, and its panels; a cell is `inches` high."""
    names = workloads(cells)
    parts = [[results for results in cells if results.cell.workload == name] for name in names]
    heights = [len(part) + 0.8 for part in parts]
    figure = Figure(figsize=(7.5, 0.8 + inches * sum(heights)), layout="constrained")
    grid = figure.subplots(len(parts), 1, squeeze=False, height_ratios=heights)[:, 0]
    for axes, name, part in zip(grid, names, parts, strict=True):
        axes.set_title(name)
        axes.grid(visible=True, axis="x")
        axes.set_yticks(range(len(part)), [label(results) for results in part])
        axes.set_ylim(len(part) - 0.5, -0.5)
        axes.tick_params(axis="y", length=0)
    return figure, list(zip(grid, parts, strict=True))


def label(results: CellResults) -> str:
    """Return the framework and its execution without the device, which is that of the figure."""
    parts = results.device.split(", ")[1:]
    return "\n".join([framework(results.cell.backend), *([", ".join(parts)] if parts else [])])


def round_ticks(axis: Axis, ticks: Sequence[float] = (1, 2, 5)) -> None:
    """Set the ticks of a logarithmic axis: these and their multiples by powers of ten."""
    axis.set_major_locator(LogLocator(subs=ticks))
    axis.set_major_formatter(StrMethodFormatter("{x:,g}"))
    axis.set_minor_locator(NullLocator())


def ratio_ticks(low: float, high: float) -> list[float]:
    """Return round numbers between `low` and `high`, for a logarithmic axis of ratios.

    Matplotlib's own ticks would be a single number if the axis spans less than a decade.
    """
    if high / low < LONG_AXIS:
        values = MaxNLocator(nbins=5, steps=[1, 2, 5, 10]).tick_values(low, high)
    else:
        subs = (1, 2, 3, 5) if high / low < LONGER_AXIS else (1, 2, 5)
        values = LogLocator(subs=subs).tick_values(low, high)
    return [float(tick) for tick in values if low <= tick <= high]
