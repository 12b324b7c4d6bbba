"""Convert a report's Markdown to HTML, and list its headings for a table of contents."""

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
from reports.site.picture import picture
from reports.site.renderer import Renderer

# a table with these first headers needs both columns to identify a row, so both stay visible
NAMED_BY_TWO = ["workload", "backend"]


@dataclass(frozen=True, kw_only=True)
class Heading:
    """A heading of a page, for its table of contents."""

    level: int
    anchor: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Document:
    """A text as HTML, with its headings."""

    html: Markup
    headings: tuple[Heading, ...]


@cache
def parser() -> MarkdownIt:
    """Return a parser of reports, in which HTML stays text except `details` and `picture`."""
    markdown = MarkdownIt("commonmark", {"html": False, "xhtmlOut": False}, renderer_cls=Renderer)
    markdown.enable("table")
    markdown.block.ruler.before("html_block", "details", details)
    markdown.block.ruler.before("html_block", "picture", picture)
    return markdown


def inline_html(text: str) -> Markup:
    """Convert one line of Markdown, without a paragraph around it."""
    return Markup(parser().renderInline(text))


def document(text: str, folder: Path, *, prefix: str = "", deeper: int = 0) -> Document:
    """Convert a whole text whose figures are in `folder`.

    For a text within a page, `prefix` is put before its anchors, and `deeper` is added to the
    levels of its headings.
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
    """Set the headings' levels and anchors, and yield the headings.

    Anchors are those of GitHub, so that a link into `report.md` also works here.
    """
    used: set[str] = set()
    for opening, content, closing in zip(tokens, tokens[1:], tokens[2:], strict=False):
        if opening.type != "heading_open":
            continue
        text = plain_text(content)
        anchor = unique_anchor(prefix + slug(text), used)
        level = int(opening.tag[1:]) + deeper
        opening.tag = closing.tag = f"h{level}"
        opening.attrSet("id", anchor)
        closing.meta["anchor"] = anchor
        yield Heading(level=level, anchor=anchor, text=text)


def plain_text(token: Token) -> str:
    """Return a token's text without its markup."""
    return "".join(child.content for child in token.children or [])


def slug(text: str) -> str:
    """Return a heading's anchor as GitHub makes it: `The runs` becomes `the-runs`."""
    return re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-") or "section"


def unique_anchor(anchor: str, used: set[str]) -> str:
    """Return the anchor, with a number if it is in `used`, and add it there."""
    names = (anchor if number == 0 else f"{anchor}-{number}" for number in count())
    name = next(name for name in names if name not in used)
    used.add(name)
    return name


def mark_tables(tokens: Sequence[Token]) -> None:
    """Set classes for numbers and for tables with two naming columns, and scopes for headers."""
    for place, token in enumerate(tokens):
        if str(token.attrs.pop("style", "")).endswith("right"):
            token.attrSet("class", "number")
        if token.type == "th_open":
            token.attrSet("scope", "col")
        if token.type == "table_open" and first_headers(tokens[place:]) == NAMED_BY_TWO:
            token.attrSet("class", "named-by-two")


def first_headers(table: Sequence[Token]) -> list[str]:
    """Return the first two headers of the table whose tokens these are."""
    cells = [plain_text(cell) for cell in table[:10] if cell.type == "inline"]
    return cells[:2]


def mark_link(token: Token) -> None:
    """Make a link to a page of a report a link to its HTML."""
    target = str(token.attrs.get("href", ""))
    if token.type == "link_open" and ":" not in target:
        target = re.sub(r"(^|/)report\.md(?=#|$)", r"\1index.html", target)
        token.attrSet("href", re.sub(r"^([\w.-]+)\.md(?=#|$)", r"\1.html", target))


def mark_figure(token: Token, folder: Path) -> None:
    """Load a figure when it becomes visible, and reserve its space until then."""
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
