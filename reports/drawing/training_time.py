"""The time of a whole training: its phases, stacked."""

from collections.abc import Iterator, Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from bench.spec import Cell
from reports.drawing.files import figure_files
from reports.drawing.style import COLOURS, house_style, workload_panels
from reports.results.cells import CellResults, group_by_device
from reports.results.report import Report
from reports.results.training_time import PHASES
from reports.text import file_name, number

# colour and hatch per phase; the hatches distinguish the phases without colours
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


def figure_file(device: str) -> str:
    return f"phases-{file_name(device)}.png"


def figures(report: Report) -> Iterator[tuple[str, bytes]]:
    """Yield the files of a figure per device on which a cell was trained, by name."""
    phases = {time.results.cell: time.phases for time in report.training_times}
    with house_style():
        cells_by_device = group_by_device(time.results for time in report.training_times)
        for device, cells in cells_by_device.items():
            title = f"Time of a whole training on {device} by phase, shorter is better"
            yield from figure_files(figure_file(device), stacked_bars(cells, phases), title, report)


def stacked_bars(
    cells: Sequence[CellResults], phases: Mapping[Cell, Mapping[str, float]]
) -> Figure:
    """Return a figure with a panel per workload, each with its own scale from zero."""
    figure, panels = workload_panels(cells, 0.36)
    for axes, panel in panels:
        draw(axes, [phases[results.cell] for results in panel])
    panels[-1][0].set_xlabel("seconds (median over seeds)")
    keys = [
        Patch(facecolor=colour, hatch=hatch, edgecolor="white", label=name)
        for name, (colour, hatch) in FILLS.items()
    ]
    figure.legend(handles=keys, loc="outside lower center", ncols=len(keys))
    return figure


def draw(axes: Axes, panel: Sequence[Mapping[str, float]]) -> None:
    """Draw a stack per cell, with its sum to the right of it."""
    for place, phases in enumerate(panel):
        left = 0.0
        for phase, seconds in phases.items():
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
