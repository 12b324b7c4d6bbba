"""The columns by which tables name their cells."""

from reports.results.cells import CellResults
from reports.text import escape


def named(results: CellResults) -> list[str]:
    """Workload, backend and device: the columns by which a table names its cells."""
    return [escape(results.cell.workload), escape(results.cell.backend), escape(results.device)]
