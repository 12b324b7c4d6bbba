"""The links from a report to its other pages."""

from collections.abc import Iterator

from reports.results.report import Report
from reports.text import escape, file_name

DETAILS_FILE = "details.md"


def section(report: Report) -> Iterator[str]:
    """Yield a link to the details, and one per network."""
    links = [
        f"[{escape(workload.name)}]({network_file(workload.name)})" for workload in report.workloads
    ]
    yield "## More"
    yield (
        f"[Details]({DETAILS_FILE}): all comparisons, settings, parity checks, method, machine. "
        f"Per network: {', '.join(links)}."
    )


def network_file(workload: str) -> str:
    """Return the name of the page of a workload."""
    return f"network-{file_name(workload)}.md"
