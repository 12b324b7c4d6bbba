"""The style of all figures: fonts, one colour per backend, ticks, and how a PNG is written."""

import io
import platform
from collections.abc import Sequence
from contextlib import AbstractContextManager
from importlib import metadata
from itertools import cycle

import matplotlib.style
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator, StrMethodFormatter

from reports.drawing.png import SOFTWARE
from reports.results.cells import CellResults, backends, workloads

# Okabe and Ito (2008): distinct with every common form of colour blindness; without yellow
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
MARKERS = ("o", "s", "^", "D", "v")
GREY = "#666666"
WHITE_SHARE = 0.55
# the bytes of a figure depend on these: the picture, its compression and the arithmetic
DRAWN_BY = (
    f"matplotlib {metadata.version('matplotlib')}, pillow {metadata.version('pillow')}, "
    f"{platform.machine()}"
)
STYLE = {
    "figure.dpi": 150,
    "font.family": "DejaVu Sans",
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
}


def house_style() -> AbstractContextManager[None]:
    """Return the context in which figures are drawn and written."""
    # "default" first: a user's own matplotlibrc must not change a report
    return matplotlib.style.context(["default", STYLE])


def backend_colours(cells: Sequence[CellResults]) -> dict[str, str]:
    """Return a colour per backend of the run, by the order of names."""
    return dict(zip(backends(cells), cycle(COLOURS), strict=False))


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
    """Return the backend and its execution without the device, which is that of the figure."""
    parts = results.device.split(", ")[1:]
    return "\n".join([results.cell.backend, *([", ".join(parts)] if parts else [])])


def round_ticks(axis: Axis, ticks: Sequence[float] = (1, 2, 5)) -> None:
    """Set the ticks of a logarithmic axis: these and their multiples by powers of ten."""
    axis.set_major_locator(LogLocator(subs=ticks))
    axis.set_major_formatter(StrMethodFormatter("{x:,g}"))
    axis.set_minor_locator(NullLocator())


def png(figure: Figure, stamp: str) -> bytes:
    """Return the figure's PNG, with the software that drew it; the same software, the same bytes.

    The stamp is a part of the picture, because figures are copied without their report.
    """
    content = io.BytesIO()
    if stamp:
        figure.suptitle(stamp, fontsize=9, fontweight="bold")
    FigureCanvasAgg(figure)
    figure.savefig(content, format="png", metadata={SOFTWARE: DRAWN_BY})
    return content.getvalue()
