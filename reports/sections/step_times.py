"""The figures of the time per step, per device: the numbers of the summary's table of speed."""

from collections.abc import Iterator

from reports.drawing.step_times import figure_file, group_timed_cells
from reports.results.report import Report
from reports.text import figure


def section(report: Report) -> Iterator[str]:
    """Yield a figure per device with a time per step."""
    for device in group_timed_cells(report.cells):
        yield figure(
            f"Bars of the time per step on {device}, by workload and backend, for the native and "
            "the step lane; the numbers are in the table above",
            figure_file(device),
        )
