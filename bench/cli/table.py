"""Tables for a terminal: plain text, no wider than the terminal, with no text cut off."""

import io
import shutil
import textwrap
from collections.abc import Sequence

# columns; below this table columns would be a few letters wide, and the terminal breaks the lines
NARROWEST = 60
# letters; shorter names in the first column never wrap: a quarter of the narrowest table
LONGEST_WHOLE_NAME = 16
# rich's drawing of a box, without lines except a dashed one under the headers
RULES = "\n".join(["    ", "    ", " -  ", *["    "] * 5])


def width() -> int:
    """Return the columns of the terminal, 80 if there is none, at least `NARROWEST`."""
    return max(NARROWEST, shutil.get_terminal_size().columns)


def table(
    headers: Sequence[str], rows: Sequence[Sequence[str]], numbers: Sequence[str] = ()
) -> str:
    """Draw rows of text under headers; cells that are too wide wrap, and long words fold.

    The widest columns shrink first; columns named in `numbers` never shrink, and are aligned to the
    right.
    """
    # imported here: `samestep list --json` needs no table
    from rich.box import Box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    drawn = Table(box=Box(RULES, ascii=True), show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    for index, header in enumerate(headers):
        cells = [row[index] for row in rows]
        drawn.add_column(
            Text(header),
            justify="right" if header in numbers else "left",
            overflow="fold",
            width=fixed_width(header, cells) if index == 0 or header in numbers else None,
        )
    for row in rows:
        # as Text, because square brackets would be read as markup
        drawn.add_row(*map(Text, row))
    console = Console(file=io.StringIO(), width=width(), color_system=None, force_jupyter=False)
    with console.capture() as captured:
        console.print(drawn)
    return "\n".join(line.rstrip() for line in captured.get().splitlines())


def fixed_width(header: str, cells: Sequence[str]) -> int | None:
    """Return the width at which no cell wraps, or None above `LONGEST_WHOLE_NAME`."""
    widest = max(map(len, (*header.split(), *cells)))
    return widest if widest <= LONGEST_WHOLE_NAME else None


def paragraph(text: str) -> str:
    """Wrap a sentence to the terminal's width between words, so that a path stays whole."""
    return textwrap.fill(text, width(), break_long_words=False, break_on_hyphens=False)
