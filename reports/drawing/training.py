"""The curves of each workload's trainings."""

from collections.abc import Iterator

from reports.drawing.curves import curves
from reports.drawing.style import backend_colours, house_style, png
from reports.results.report import Report
from reports.text import file_name


def figure_file(workload: str) -> str:
    return f"curves-{file_name(workload)}.png"


def figures(report: Report) -> Iterator[tuple[str, bytes]]:
    """Yield a figure per workload with a training, as file name and PNG."""
    colours = backend_colours(report.cells)
    with house_style():
        for workload in report.workloads:
            if workload.trained_rows:
                figure = curves(workload.trained_rows, colours)
                yield figure_file(workload.name), png(figure, report.stamp)
