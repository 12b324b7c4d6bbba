"""A Markdown text of ours as HTML, with the headings for a table of contents."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import count
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

from reports.drawing.png import HEADER_BYTES, size
from reports.site.details import details
from reports.site.renderer import Renderer

# rows of these tables are told apart by both columns, so both stay in sight
NAMED_BY_TWO = ["workload", "backend"]


@dataclass(frozen=True, kw_only=True)
class Heading:
    level: int
    anchor: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Document:
    html: Markup
    headings: tuple[Heading, ...]


@cache
def parser() -> MarkdownIt:
    """Markdown as a report uses it; HTML in it stays text, but for `details`."""
    found = MarkdownIt("commonmark", {"html": False, "xhtmlOut": False}, renderer_cls=Renderer)
    found.enable("table")
    found.block.ruler.before("html_block", "details", details)
    return found


def inline(text: str) -> Markup:
    """One line of Markdown without a paragraph around it."""
    return Markup(parser().renderInline(text))


def document(text: str, folder: Path, *, prefix: str = "", deeper: int = 0) -> Document:
    """The whole text. `folder` is where its figures lie.

    `prefix` goes before anchors, `deeper` onto the levels of headings: for a text within a page.
    """
    tokens = parser().parse(text)
    headings = tuple(mark_headings(tokens, prefix, deeper))
    mark_tables(tokens)
    for token in tokens:
        for child in token.children or []:
            mark_link(child)
            mark_figure(child, folder)
    html = parser().renderer.render(tokens, parser().options, {})
    return Document(html=Markup(html), headings=headings)


def mark_headings(tokens: Sequence[Token], prefix: str, deeper: int) -> Iterator[Heading]:
    """Anchors as GitHub makes them, so that a link into `report.md` holds here too."""
    taken: set[str] = set()
    for opening, content, closing in zip(tokens, tokens[1:], tokens[2:], strict=False):
        if opening.type != "heading_open":
            continue
        text = plain(content)
        anchor = unused(prefix + slug(text), taken)
        level = int(opening.tag[1:]) + deeper
        opening.tag = closing.tag = f"h{level}"
        opening.attrSet("id", anchor)
        closing.meta["anchor"] = anchor
        yield Heading(level=level, anchor=anchor, text=text)


def plain(token: Token) -> str:
    """What is left of a token's text without its markup."""
    return "".join(child.content for child in token.children or [])


def slug(text: str) -> str:
    return re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-") or "section"


def unused(anchor: str, taken: set[str]) -> str:
    names = (anchor if number == 0 else f"{anchor}-{number}" for number in count())
    found = next(name for name in names if name not in taken)
    taken.add(found)
    return found


def mark_tables(tokens: Sequence[Token]) -> None:
    for place, token in enumerate(tokens):
        if str(token.attrs.pop("style", "")).endswith("right"):
            token.attrSet("class", "number")
        if token.type == "th_open":
            token.attrSet("scope", "col")
        if token.type == "table_open" and first_headers(tokens[place:]) == NAMED_BY_TWO:
            token.attrSet("class", "named-by-two")


def first_headers(table: Sequence[Token]) -> list[str]:
    """The first two headers of the table that begins here."""
    cells = [plain(cell) for cell in table[:10] if cell.type == "inline"]
    return cells[:2]


def mark_link(token: Token) -> None:
    """A link to another report leads to its page."""
    target = str(token.attrs.get("href", ""))
    if token.type == "link_open" and ":" not in target:
        token.attrSet("href", re.sub(r"(^|/)report\.md(?=#|$)", r"\1index.html", target))


def mark_figure(token: Token, folder: Path) -> None:
    """Loaded when it comes into sight, its room kept free until then."""
    if token.type != "image":
        return
    token.attrSet("loading", "lazy")
    header = header_of(folder / str(token.attrs["src"]))
    for name, pixels in zip(("width", "height"), size(header), strict=False):
        token.attrSet(name, pixels)


def header_of(path: Path) -> bytes:
    """Return the first bytes of a picture's file; empty if it can't be read."""
    try:
        with path.open("rb") as file:
            return file.read(HEADER_BYTES)
    except OSError:
        return b""
