"""Reading the site's pages back: tags in balance, links, ids and tables, without a browser."""

from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

VOID = {"area", "br", "col", "hr", "img", "input", "link", "meta"}


class Page(HTMLParser):
    """What a page is made of; `problems` are tags that open or close out of turn."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self.tags: Counter[str] = Counter()
        self.attributes: list[tuple[str, str, str]] = []
        self.problems: list[str] = []
        self.tables: list[list[list[str]]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(path.read_text(encoding="utf-8"))
        self.close()
        self.problems += [f"<{tag}> never ends" for tag in self.open]

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes += [(tag, name, value or "") for name, value in attributes]
        if tag not in VOID:
            self.open.append(tag)
        if tag == "table":
            self.tables.append([])
        if tag == "tr":
            self.tables[-1].append([])
        if tag in ("th", "td"):
            self.tables[-1][-1].append("")

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        # shapes of the button's picture: no child, no end
        self.tags[tag] += 1

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.problems.append(f"</{tag}> at {self.getpos()} closes another tag")

    def handle_data(self, data: str) -> None:
        if "script" in self.open or "style" in self.open:
            return
        self.text += data
        if {"th", "td"} & set(self.open):
            self.tables[-1][-1][-1] += data.strip("\n")

    @property
    def ids(self) -> list[str]:
        return [value for _, name, value in self.attributes if name == "id"]

    @property
    def targets(self) -> list[str]:
        """What it links to and shows."""
        return [value for _, name, value in self.attributes if name in ("href", "src")]

    def file_of(self, target: str) -> Path:
        """Where a relative link leads."""
        path = unquote(urlsplit(target).path)
        return (self.path.parent / path).resolve() if path else self.path.resolve()

    def rows(self, *headers: str) -> list[dict[str, str]]:
        """The first table that has these headers, each row by header."""
        table = next(one for one in self.tables if one and set(headers) <= set(one[0]))
        return [dict(zip(table[0], row, strict=True)) for row in table[1:]]
