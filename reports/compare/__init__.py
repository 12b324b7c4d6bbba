"""Comparison of runs: the same cells on other machines, at other times, in new versions."""

from reports.compare.comparison import ComparedSides, compare
from reports.compare.comparison_json import as_json
from reports.compare.fail_slower import slowdowns
from reports.compare.markdown import compose, render
from reports.compare.pairs import ComparedCell
from reports.compare.sides import ComparedRun, Side, load_run, read

__all__ = [
    "ComparedCell",
    "ComparedRun",
    "ComparedSides",
    "Side",
    "as_json",
    "compare",
    "compose",
    "load_run",
    "read",
    "render",
    "slowdowns",
]
