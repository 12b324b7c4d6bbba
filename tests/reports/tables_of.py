"""Reading a report's tables back, without any code that writes them."""

import re

from reports.report import pages
from reports.results.report import Report


def compose(report: Report) -> str:
    """Return the text of all pages of a report, the report itself first."""
    return "\n".join(pages(report).values())


def tables_of(text: str) -> list[list[dict[str, str]]]:
    """Every table of a Markdown text as rows of header to cell."""
    found: list[list[dict[str, str]]] = []
    for block in re.findall(r"(?:^\|.*\n)+", text, flags=re.MULTILINE):
        lines = [re.split(r"(?<!\\)\|", line)[1:-1] for line in block.splitlines()]
        headers, _, *rows = [[cell.strip() for cell in line] for line in lines]
        found.append([dict(zip(headers, row, strict=True)) for row in rows])
    return found


def table_with(text: str, *headers: str) -> list[dict[str, str]]:
    """The first table that has these headers."""
    return next(t for t in tables_of(text) if t and set(headers) <= set(t[0]))


def section_of(text: str, heading: str) -> str:
    """Return the text from a heading to the next of its level or above: `#` or `##`."""
    _, mark, after = re.split(rf"(?m)^(##?) {re.escape(heading)}$", text, maxsplit=1)
    return re.split(r"(?m)^# " if mark == "#" else r"(?m)^##? ", after, maxsplit=1)[0]


def numbers_in(cell: str) -> list[float]:
    return [float(part.replace(",", "")) for part in re.findall(r"-?\d[\d,]*(?:\.\d+)?", cell)]
