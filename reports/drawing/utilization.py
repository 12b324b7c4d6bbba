"""The roofline: the rates of a device's cells over their intensity, under the device's roof."""

import math
from collections.abc import Iterable, Iterator, Sequence
from itertools import cycle

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from reports.drawing.files import figure_files
from reports.drawing.style import GREY, MARKERS, backend_colours, house_style, round_ticks
from reports.results.cells import backends, workloads
from reports.results.names import framework
from reports.results.report import Report
from reports.results.utilization import Limit, Roof
from reports.text import file_name, number

GIGA = 1e9
# room around the points, as factors, because both axes are logarithmic
BESIDE, BELOW, ABOVE = 2.5, 2.0, 2.5
# room at the left of the roof's corner: its label must fit on half the slope
SLOPE = 12.0
# small markers are drawn over large markers, so that two equal cells are both visible
SIZES = (10.0, 6.5, 4.0)


def figure_file(roof: Roof) -> str:
    return f"roofline-{file_name(roof.name)}.png"


def figures(report: Report) -> Iterator[tuple[str, bytes]]:
    """Yield the files of a figure per roof with a cell under it, by name."""
    colours = backend_colours(report.cells)
    with house_style():
        for roof in dict.fromkeys(limit.roof for limit in report.limits):
            limits = [limit for limit in report.limits if limit.roof == roof]
            title = f"Training steps on {roof.name} under what was calibrated in the same run"
            figure = roofline(roof, limits, colours)
            yield from figure_files(figure_file(roof), figure, title, report)


def roofline(roof: Roof, limits: Sequence[Limit], colours: dict[str, str]) -> Figure:
    """Return a figure with the roof, and a marker per cell under it."""
    figure = Figure(figsize=(7.5, 4.6), layout="constrained")
    axes = figure.subplots()
    left, right = span_of(roof, limits)
    frame(axes, roof, limits, (left, right))
    draw_roof(axes, roof, (left, right))
    markers, sizes = workload_markers(limits), backend_sizes(limits)
    for limit in limits:
        cell = limit.results.cell
        axes.plot(
            limit.work.intensity, limit.operations_per_second.value / GIGA, markers[cell.workload],
            color=colours[cell.backend], markersize=sizes[cell.backend],
            markeredgecolor="white", markeredgewidth=0.6,
        )  # fmt: skip
    handles = list(keys(colours, sizes, markers))
    figure.legend(handles=handles, loc="outside lower center", ncols=4)
    return figure


def span_of(roof: Roof, limits: Sequence[Limit]) -> tuple[float, float]:
    """Return the range of intensities: it has every cell, and the corner of the two bounds."""
    shown = [limit.work.intensity for limit in limits]
    left = min(roof.ridge / SLOPE, min(shown) / BESIDE)
    return left, BESIDE * max(roof.ridge, *shown)


def frame(axes: Axes, roof: Roof, limits: Iterable[Limit], span: tuple[float, float]) -> None:
    """Set the scales, limits and texts of both axes."""
    rates = [limit.operations_per_second.value for limit in limits]
    lowest, highest = min(roof.bound(span[0]), *rates), max(roof.operations_per_second, *rates)
    axes.set_xscale("log")
    axes.set_yscale("log")
    round_ticks(axes.xaxis)
    round_ticks(axes.yaxis)
    axes.set_xlim(span)
    axes.set_ylim(lowest / GIGA / BELOW, highest / GIGA * ABOVE)
    axes.set_xlabel("intensity of a train step: FLOP per byte that it must move (log scale)")
    axes.set_ylabel("GFLOP/s of a training step (log scale)")
    axes.grid(visible=True)


def draw_roof(axes: Axes, roof: Roof, span: tuple[float, float]) -> None:
    """Draw the two bounds and name them."""
    corners = [span[0], roof.ridge, span[1]]
    peak = roof.operations_per_second / GIGA
    axes.plot(
        corners,
        [roof.bound(intensity) / GIGA for intensity in corners],
        color="black",
        linewidth=1.4,
    )
    axes.annotate(
        f"{number(peak)} GFLOP/s: product of large matrices", (span[1], peak),
        xytext=(-2, 4), textcoords="offset points", ha="right", fontsize=8,
    )  # fmt: skip
    # the middle of the slope on logarithmic axes is the geometric mean
    middle = math.sqrt(span[0] * roof.ridge)
    axes.annotate(
        f"{number(roof.bytes_per_second / GIGA)} GB/s: y += x", (middle, roof.bound(middle) / GIGA),
        xytext=(-4, 4), textcoords="offset points", ha="right", fontsize=8,
    )  # fmt: skip


def workload_markers(limits: Sequence[Limit]) -> dict[str, str]:
    names = workloads([limit.results for limit in limits])
    return dict(zip(names, cycle(MARKERS), strict=False))


def backend_sizes(limits: Sequence[Limit]) -> dict[str, float]:
    return dict(zip(backends([limit.results for limit in limits]), cycle(SIZES), strict=False))


def keys(
    colours: dict[str, str], sizes: dict[str, float], markers: dict[str, str]
) -> Iterator[Line2D]:
    """Yield the entries of the legend: colour and size per backend, marker per workload."""
    for name, size in sizes.items():
        yield Line2D(
            [], [], ls="", marker="o", markersize=size, color=colours[name], label=framework(name)
        )
    for name, marker in markers.items():
        yield Line2D([], [], ls="", marker=marker, color=GREY, label=name)
