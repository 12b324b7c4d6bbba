"""The HTML of a block that opens on a click, which `reports.text.details` writes.

All other tags in a report stay text, except those of `reports.site.picture`.
"""

import re

from markdown_it.rules_block import StateBlock

OPENING = re.compile(r"<details><summary>(.*)</summary>")
CLOSING = "</details>"


def details(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Parse a block as a rule of markdown-it; an opening line without a closing one is text."""
    opening = OPENING.fullmatch(line(state, start))
    closing = closing_line(state, start, end) if opening else None
    if opening is None or closing is None:
        return False
    if not silent:
        state.push("details_open", "details", 1)
        summary(state, opening[1])
        content(state, start + 1, closing)
        state.push("details_close", "details", -1)
        state.line = closing + 1
    return True


def line(state: StateBlock, number: int) -> str:
    """Return one line of the text, without surrounding spaces."""
    return state.getLines(number, number + 1, 0, False).strip()


def closing_line(state: StateBlock, start: int, end: int) -> int | None:
    """Return the number of the line that closes the block opened at `start`, or None."""
    depth = 0
    for number in range(start, end):
        text = line(state, number)
        depth += (OPENING.fullmatch(text) is not None) - (text == CLOSING)
        if depth == 0:
            return number
    return None


def summary(state: StateBlock, text: str) -> None:
    """Add the tokens of the line that is always visible."""
    state.push("summary_open", "summary", 1)
    inline = state.push("inline", "", 0)
    inline.content, inline.children = text, []
    state.push("summary_close", "summary", -1)


def content(state: StateBlock, start: int, end: int) -> None:
    """Add the tokens of the blocks between the two lines."""
    # otherwise a paragraph would continue past the closing line, to the parent's last line
    last, state.lineMax = state.lineMax, end
    state.md.block.tokenize(state, start, end)
    state.lineMax = last
