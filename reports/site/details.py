"""The one piece of HTML that a report may hold: a block that opens on a click.

All other tags in a report stay text. `reports.text.details` writes these blocks.
"""

import re

from markdown_it.rules_block import StateBlock

OPENING = re.compile(r"<details><summary>(.*)</summary>")
CLOSING = "</details>"


def details(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """A block rule of markdown-it; takes an opening line only together with its closing one."""
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
    return state.getLines(number, number + 1, 0, False).strip()


def closing_line(state: StateBlock, start: int, end: int) -> int | None:
    """Where the block that opens at `start` ends; None where it never does."""
    depth = 0
    for number in range(start, end):
        text = line(state, number)
        depth += (OPENING.fullmatch(text) is not None) - (text == CLOSING)
        if depth == 0:
            return number
    return None


def summary(state: StateBlock, text: str) -> None:
    state.push("summary_open", "summary", 1)
    inline = state.push("inline", "", 0)
    inline.content, inline.children = text, []
    state.push("summary_close", "summary", -1)


def content(state: StateBlock, start: int, end: int) -> None:
    """The blocks between the two lines."""
    # a paragraph runs to the last line of its parent, wherever the block ends
    last, state.lineMax = state.lineMax, end
    state.md.block.tokenize(state, start, end)
    state.lineMax = last
