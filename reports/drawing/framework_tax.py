"""The framework tax: the layers of a step's time."""

from collections.abc import Iterator, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from reports.drawing.files import figure_files
from reports.drawing.style import COLOURS, GREY, house_style, round_ticks
from reports.results.cells import workloads
from reports.results.framework_tax import MICRO, Tax
from reports.results.names import LANE_NAMES, framework
from reports.results.report import Report

# layer to marker and colour, from the inside out
LAYERS = {
    "arithmetic": ("|", "#000000"),
    "one program": ("D", COLOURS[2]),
    "step": ("o", COLOURS[0]),
    "native": ("s", COLOURS[1]),
    "latency": ("^", COLOURS[3]),
}
# the names of the others are those of the table
LAYER_NAMES = {lane: LANE_NAMES[lane] for lane in ("native", "latency")}


def figure_file(device: str) -> str:
    return f"tax-{device.replace(':', '')}.png"


def figures(report: Report) -> Iterator[tuple[str, bytes]]:
    """Yield the files of a figure per device, by name; nothing without the mode `epoch`."""
    if all(tax.epoch is None for tax in report.taxes):
        return
    with house_style():
        for device in dict.fromkeys(tax.results.cell.execution.device for tax in report.taxes):
            taxes = [tax for tax in report.taxes if tax.results.cell.execution.device == device]
            title = f"Layers of the time of a training step on {device}"
            yield from figure_files(figure_file(device), layers(taxes), title, report)


def layers(taxes: Sequence[Tax]) -> Figure:
    """Return a figure with a panel per workload, all on the same logarithmic scale."""
    names = workloads([tax.results for tax in taxes])
    panels = [[tax for tax in taxes if tax.results.cell.workload == name] for name in names]
    heights = [len(panel) + 0.8 for panel in panels]
    figure = Figure(figsize=(7.5, 1.2 + 0.3 * sum(heights)), layout="constrained")
    grid = figure.subplots(len(panels), 1, sharex=True, squeeze=False, height_ratios=heights)
    for axes, name, panel in zip(grid[:, 0], names, panels, strict=True):
        draw(axes, name, panel)
    grid[-1, 0].set_xlabel("microseconds per step (log scale)")
    handles = [
        Line2D([], [], ls="", marker=marker, color=colour, label=LAYER_NAMES.get(layer, layer))
        for layer, (marker, colour) in LAYERS.items()
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles))
    return figure


def draw(axes: Axes, name: str, panel: Sequence[Tax]) -> None:
    axes.set_title(name)
    axes.set_xscale("log")
    for place, tax in enumerate(panel):
        values = {layer: value.value for layer, value in tax.steps.items() if value is not None}
        if tax.floor is not None:
            values["arithmetic"] = tax.floor
        axes.hlines(
            place, min(values.values()) / MICRO, max(values.values()) / MICRO, color=GREY, lw=0.8
        )
        for layer, seconds in values.items():
            marker, colour = LAYERS[layer]
            axes.plot(seconds / MICRO, place, marker, color=colour, markersize=6)
    axes.set_yticks(range(len(panel)), [framework(tax.results.cell.backend) for tax in panel])
    axes.set_ylim(len(panel) - 0.4, -0.6)
    round_ticks(axes.xaxis)
    axes.grid(visible=True, axis="x")
