"""A figure with a light and a dark variant in a report: the site shows the light one.

`reports.text.picture` writes these four lines. All figures of the site are drawn for white paper.
"""

import html

from markdown_it.rules_block import StateBlock
from markdown_it.token import Token

from reports.text import PICTURE

LINES = 4


def picture(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Parse the four lines as a rule of markdown-it, into a paragraph with an image."""
    match = PICTURE.fullmatch(state.getLines(start, min(start + LINES, end), 0, False).strip())
    if match is None:
        return False
    if not silent:
        state.push("paragraph_open", "p", 1)
        inline = state.push("inline", "", 0)
        inline.children = [image(html.unescape(match["alternative"]), match["light"])]
        state.push("paragraph_close", "p", -1)
        state.line = start + LINES
    return True


def image(alternative: str, path: str) -> Token:
    """Return the token of an image, as Markdown's own images have it."""
    words = Token("text", "", 0, content=alternative)
    return Token("image", "img", 0, attrs={"src": path, "alt": ""}, children=[words])
