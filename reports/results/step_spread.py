"""The single steps of a cell, for the spread of step times."""

from bench.record.quantities import single_steps
from bench.record.selection import ranked
from reports.results.cells import CellResults


def steps_of(results: CellResults) -> list[float]:
    """Seconds of every single step of the cell's ranked trials."""
    return single_steps(ranked(results.good("timing")))
