"""The figures of the time per step, per device: the numbers of the summary's table of speed."""

from collections.abc import Iterator

from reports.drawing.step_times import figure_file, group_timed_cells
from reports.results.report import Report
from reports.text import figure


def section(report: Report) -> Iterator[str]:
    """Yield a figure per device with a time per step."""
    for device in group_timed_cells(report.cells):
        yield figure(
            f"Bars of the time per step on {device}, by network and framework, in the full "
            "training loop and in the training step; the table of the summary has the numbers",
            figure_file(device),
        )
