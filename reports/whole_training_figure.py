"""The figure of a whole training: a bar for each cell, stacked by phase."""

from collections.abc import Iterator, Sequence

import matplotlib.style
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from reports.cells import CellResults, by_device, workloads
from reports.figures import COLOURS, STYLE, label, png
from reports.text import number
from reports.whole_training import PHASES, phases, phases_file

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
    names = workloads(cells)
    panels = [[one for one in cells if one.cell.workload == name] for name in names]
    heights = [len(panel) + 1.0 for panel in panels]
    figure = Figure(figsize=(7.5, 1.0 + 0.34 * sum(heights)), layout="constrained")
    grid = figure.subplots(len(panels), 1, squeeze=False, height_ratios=heights)
    for axes, name, panel in zip(grid[:, 0], names, panels, strict=True):
        draw(axes, name, panel)
    grid[-1, 0].set_xlabel("seconds (median over seeds)")
    keys = [
        Patch(facecolor=colour, hatch=hatch, edgecolor="white", label=name)
        for name, (colour, hatch) in FILLS.items()
    ]
    figure.legend(handles=keys, loc="outside lower center", ncols=len(keys))
    return figure


def draw(axes: Axes, name: str, panel: Sequence[CellResults]) -> None:
    axes.set_title(name)
    axes.grid(visible=True, axis="x")
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
    axes.set_yticks(range(len(panel)), [label(one) for one in panel])
    axes.set_ylim(len(panel) - 0.5, -0.5)
    axes.set_xlim(0, axes.get_xlim()[1] * 1.08)
    axes.tick_params(axis="y", length=0)
