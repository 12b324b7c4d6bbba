"""Reading a report's tables back, without any code of `reports`."""

import re


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
    """From a `## heading` to the next one."""
    return text.split(f"\n## {heading}\n")[1].split("\n## ", maxsplit=1)[0]


def numbers_in(cell: str) -> list[float]:
    return [float(part.replace(",", "")) for part in re.findall(r"-?\d[\d,]*(?:\.\d+)?", cell)]
