"""Runs against each other: the same cells on other machines, at other times, in new versions."""

from reports.compare.comparison_json import as_json
from reports.compare.fail_slower import slower
from reports.compare.markdown import compose, render
from reports.compare.pairs import ComparedCell, ComparedRun, compare, read, read_one

__all__ = [
    "ComparedCell",
    "ComparedRun",
    "as_json",
    "compare",
    "compose",
    "read",
    "read_one",
    "render",
    "slower",
]
