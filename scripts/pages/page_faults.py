"""Write what page faults cost into a page: `python -m scripts.pages.page_faults`.

The figures come from docs/selftest/page-faults.json, which tests/microbench/page_faults.py printed.
"""

import json
from statistics import median
from typing import Any

from reports.results.caption import MAIN_PACKAGES
from reports.results.names import framework
from reports.text import comma_list, number, table
from scripts.pages import marked

FIGURES = marked.ROOT / "docs" / "selftest" / "page-faults.json"
PAGE = marked.ROOT / "docs" / "measuring.md"
HEADERS = ["network", "memory", "timed", "ms per step", "page faults per step"]


def section() -> str:
    """Return the part of the page between its two marks."""
    document = json.loads(FIGURES.read_text(encoding="utf-8"))
    groups: dict[tuple[str, bool, str], list[dict[str, list[float]]]] = {}
    for process in document["processes"]:
        for lane, values in process["lanes"].items():
            key = process["workload"], process["kept"], lane
            groups.setdefault(key, []).append(values)
    rows = [row(*key, processes) for key, processes in sorted(groups.items())]
    return "\n\n".join([conditions(document), table(HEADERS, rows, ",".join(HEADERS[3:]))])


def conditions(document: dict[str, Any]) -> str:
    """Return what was measured, with which versions, and when."""
    processes = document["processes"]
    versions = processes[0]["versions"]
    names = comma_list(
        f"{MAIN_PACKAGES[name]} {versions[name].partition('+')[0]}"
        for name in MAIN_PACKAGES
        if name in versions
    )
    slices = len(processes[0]["lanes"]["full loop"]["milliseconds"])
    kinds = len({(process["workload"], process["kept"]) for process in processes})
    return (
        f"{framework(document['backend'])} on {document['cores']} shared cores of an "
        f"{document['cpu']}, {document['date']}, {names}. Medians over {len(processes) // kinds} "
        f"processes of {slices} slices of {document['steps_per_slice']} steps, with the smallest "
        "and the largest of the processes:"
    )


def row(workload: str, kept: bool, lane: str, processes: list[dict[str, list[float]]]) -> list[str]:
    memory = "kept by the process" if kept else "as it is"
    quantities = ("milliseconds", "page_faults")
    return [workload, memory, lane, *(spread(processes, quantity) for quantity in quantities)]


def spread(processes: list[dict[str, list[float]]], quantity: str) -> str:
    """Return `6.1 (5.4 to 7.9)`: the median of the processes' own medians, and their range."""
    values = sorted(median(process[quantity]) for process in processes)
    return f"{number(median(values))} ({number(values[0])} to {number(values[-1])})"


def page(text: str) -> str:
    """Return the page with its part made from the file."""
    return marked.fill(text, *marked.marks("page_faults"), section())


if __name__ == "__main__":
    marked.write(PAGE, page)
