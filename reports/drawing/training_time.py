"""The phases of a whole training, stacked."""

from collections.abc import Iterator, Sequence

import matplotlib.style
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from reports.drawing.style import COLOURS, STYLE, png, workload_panels
from reports.results.cells import CellResults, by_device
from reports.results.training_time import PHASES, phases
from reports.text import file_name, number


def phases_file(device: str) -> str:
    return f"phases-{file_name(device)}.png"


# phase to colour; hatches tell them apart without colours
FILLS = dict(
    zip(
        PHASES,
        zip(
            ("#BBBBBB", COLOURS[4], COLOURS[3], COLOURS[5], COLOURS[0], COLOURS[2], "#666666"),
            ("", "//", "", "\\\\", "", "..", ""),
            strict=True,
        ),
        strict=True,
    )
)


def phases_figures(cells: Sequence[CellResults], stamp: str = "") -> Iterator[tuple[str, bytes]]:
    """File name and PNG of a figure for each device on which something was trained."""
    trained = [one for one in cells if one.trained(longer=False)]
    with matplotlib.style.context(["default", STYLE]):
        for device, there in by_device(trained).items():
            yield phases_file(device), png(stacked(there), stamp)


def stacked(cells: Sequence[CellResults]) -> Figure:
    """A panel a workload, each with its own scale from zero."""
    figure, panels = workload_panels(cells, 0.36)
    for axes, panel in panels:
        draw(axes, panel)
    panels[-1][0].set_xlabel("seconds (median over seeds)")
    keys = [
        Patch(facecolor=colour, hatch=hatch, edgecolor="white", label=name)
        for name, (colour, hatch) in FILLS.items()
    ]
    figure.legend(handles=keys, loc="outside lower center", ncols=len(keys))
    return figure


def draw(axes: Axes, panel: Sequence[CellResults]) -> None:
    for place, results in enumerate(panel):
        left = 0.0
        for phase, seconds in phases(results).items():
            colour, hatch = FILLS[phase]
            axes.barh(
                place, seconds, left=left, height=0.7, color=colour, hatch=hatch,
                edgecolor="white", linewidth=0.4,
            )  # fmt: skip
            left += seconds
        axes.annotate(
            number(left), (left, place), xytext=(4, 0), textcoords="offset points", va="center",
            fontsize=8,
        )  # fmt: skip
    axes.set_xlim(0, axes.get_xlim()[1] * 1.08)
