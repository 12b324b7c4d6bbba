"""The curves of each workload's trainings of more epochs."""

from collections.abc import Iterator

from reports.drawing.curves import curves
from reports.drawing.files import figure_files
from reports.drawing.style import backend_colours, house_style
from reports.results.report import Report
from reports.text import file_name


def figure_file(workload: str) -> str:
    return f"longer-{file_name(workload)}.png"


def figures(report: Report) -> Iterator[tuple[str, bytes]]:
    """Yield the files of a figure per workload with a longer training, by name."""
    colours = backend_colours(report.cells)
    with house_style():
        for workload in report.workloads:
            if workload.longer_rows:
                figure = curves(workload.longer_rows, colours, own_end=True)
                title = f"{workload.name}: loss and accuracy of trainings of more epochs"
                yield from figure_files(figure_file(workload.name), figure, title, report)
