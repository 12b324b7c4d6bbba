"""Comparison of runs: the same cells on other machines, at other times, in new versions."""

from reports.compare.comparison_json import as_json
from reports.compare.fail_slower import slowdowns
from reports.compare.markdown import compose, render
from reports.compare.pairs import ComparedCell, ComparedRun, compare, load_run, read

__all__ = [
    "ComparedCell",
    "ComparedRun",
    "as_json",
    "compare",
    "compose",
    "load_run",
    "read",
    "render",
    "slowdowns",
]
