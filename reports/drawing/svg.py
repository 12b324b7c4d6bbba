"""The texts in an SVG: a description, and the software that drew it."""

import html
import re

from reports.drawing.png import DESCRIPTION, SOFTWARE

ROOT = re.compile(rb"<svg\b[^>]*>")
# Matplotlib writes it as the creator of the picture
CREATOR = re.compile(rb"<dc:creator>.*?<dc:title>(.*?)</dc:title>", re.DOTALL)
DESC = re.compile(rb"<desc>(.*?)</desc>", re.DOTALL)


def add_description(content: bytes, text: str) -> bytes:
    """Add a description to an SVG, as the first element in it, where screen readers look."""
    description = f"\n <desc>{html.escape(text, quote=False)}</desc>".encode()
    return ROOT.sub(lambda root: root[0] + description, content, count=1)


def texts(content: bytes) -> dict[str, str]:
    """Return the texts in an SVG by the keywords of a PNG, as far as a damaged SVG can be read."""
    matches = {DESCRIPTION: DESC.search(content), SOFTWARE: CREATOR.search(content)}
    return {
        keyword: html.unescape(match[1].decode(errors="replace"))
        for keyword, match in matches.items()
        if match is not None
    }
