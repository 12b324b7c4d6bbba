"""Markdown: tables, figures, numbers with their intervals, and text from records."""

import html
import re
from collections.abc import Iterable, Sequence

from tabulate import tabulate

from bench.stats import Estimate, decimals, format_number

NOTHING = "–"  # noqa: RUF001 - the dash that stands for "no figure"
LONGEST_TEXT = 300
# an underscore inside a word is no markup, and is not escaped: raw text stays readable
SPECIAL = re.compile(
    r"://|www\.|[&<>$]|@(?=\w)|#(?=\d)|[\\`*\[\]|~]|(?<![^\W_])_|_(?![^\W_])", re.IGNORECASE
)
ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "$": "&#36;", "@": "&#64;", "://": "&#58;//"}
IMAGE = re.compile(r"!\[(?P<alternative>(?:\\.|[^\]\\])*)\]\((?P<path>[^)]+)\)")
# the four lines that `picture` writes
PICTURE = re.compile(
    r"<picture>\n"
    r'<source media="\(prefers-color-scheme: dark\)" srcset="(?P<dark>figures/[\w.-]+)">\n'
    r'<img alt="(?P<alternative>[^"]*)" src="(?P<light>figures/[\w.-]+)">\n</picture>'
)
MEBIBYTE = 2**20
# the folder beside a report with the PNGs of its figures
FIGURE_FOLDER = "figures"


def one_line(text: object) -> str:
    """Return text from a record as one line without control characters, which no XML may hold."""
    return " ".join("".join(c if c.isprintable() else " " for c in str(text)).split())


def escape(text: object) -> str:
    """Return text from a record as one line that Markdown, HTML and a table cell show as it is.

    It also stops what GitHub makes of plain text: formulas, mentions and links.
    """
    line = one_line(text)
    if len(line) > LONGEST_TEXT:
        line = f"{line[: LONGEST_TEXT - 1]}…"
    return SPECIAL.sub(_escape_match, line)


def _escape_match(match: re.Match[str]) -> str:
    if match[0].lower() == "www.":
        return f"{match[0][:3]}&#46;"
    return ENTITIES.get(match[0], f"\\{match[0]}")


def table(headers: Sequence[str], rows: Iterable[Sequence[object]], numbers: str = "") -> str:
    """Return a GitHub table; `numbers` lists the headers of right-aligned columns, with commas.

    Cells are not escaped: call `escape` for text from a record.
    """
    right = {name.strip() for name in numbers.split(",")}
    align = ["right" if header in right else "left" for header in headers]
    # tabulate would otherwise reformat numbers such as 535,818 and 0.10
    cells = [[str(cell) for cell in row] for row in rows]
    return tabulate(cells, list(headers), "pipe", disable_numparse=True, colalign=align)


def estimate(value: Estimate | None, scale: float = 1.0) -> str:
    """Return `3.31 [3.25, 3.40]`: the value, and its 95 % interval if it has one."""
    if value is None:
        return NOTHING
    if value.low is None or value.high is None:
        return number(value.value * scale)
    centre, low, high = (part * scale for part in (value.value, value.low, value.high))
    places = decimals(centre, low, high)
    # a non-breaking space: a narrow column breaks before the interval, not inside it
    middle, least, most = (format_number(number, places) for number in (centre, low, high))
    return f"{middle} [{least},\u00a0{most}]"


def centre(value: Estimate | None, scale: float = 1.0) -> str:
    """Return the value alone, with as many digits as its interval allows."""
    return estimate(value, scale).split(" ")[0]


def factor(speedup: Estimate) -> str:
    """Return `2.27x`, with as many digits as the interval allows."""
    return f"{centre(speedup)}x"


def factor_estimate(speedup: Estimate | None) -> str:
    """Return `2.27x [2.17, 2.56]`."""
    if speedup is None:
        return NOTHING
    return estimate(speedup).replace(centre(speedup), factor(speedup), 1)


def interval_words(value: Estimate) -> str:
    """Return `2.17 to 2.56`; empty without an interval."""
    _, _, ends = estimate(value).partition(" [")
    return ends.rstrip("]").replace(",\u00a0", " to ")


def number(value: float | None) -> str:
    """Return three significant figures."""
    return NOTHING if value is None else format_number(value, decimals(value))


def percent(fraction: float | None, places: int = 2) -> str:
    """Return `98.06 %`: with two places the last digit is one image of 10,000."""
    return NOTHING if fraction is None else f"{100 * fraction:.{places}f} %"


def plain_percent(fraction: float) -> str:
    """Return `3 %` or `97.5 %`: a limit, without trailing zeros."""
    return f"{100 * fraction:g} %"


def points(difference: float | None) -> str:
    """Return a signed difference of two fractions in percentage points."""
    if difference is None:
        return NOTHING
    rounded = round(100 * difference, 2)
    return f"{rounded:+.2f}" if rounded else "0.00"


def count(value: int | None) -> str:
    """Return `535,818`."""
    return NOTHING if value is None else f"{value:,}"


def plural(number: int, noun: str) -> str:
    """Return `1 trial` or `12 trials`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def comma_list(items: Iterable[object]) -> str:
    """Return the items with commas between them; a dash if there are none."""
    return ", ".join(map(str, items)) or NOTHING


def figure(alternative: str, name: str) -> str:
    """Return a figure of the report; the alternative names the table with its numbers."""
    return f"![{escape(alternative)}]({FIGURE_FOLDER}/{name})"


def picture(alternative: str, light: str, dark: str) -> str:
    """Return a figure with a variant for light and one for dark pages, as HTML of four lines."""
    return (
        "<picture>\n"
        f'<source media="(prefers-color-scheme: dark)" srcset="{FIGURE_FOLDER}/{dark}">\n'
        f'<img alt="{html.escape(one_line(alternative))}" src="{FIGURE_FOLDER}/{light}">\n'
        "</picture>"
    )


def alternatives(text: str) -> dict[str, str]:
    """Return the alternative of each figure in a report, by path; of both variants of a picture."""
    figures = {m["path"]: unescape(m["alternative"]) for m in IMAGE.finditer(text)}
    for match in PICTURE.finditer(text):
        words = html.unescape(match["alternative"])
        figures |= dict.fromkeys((match["light"], match["dark"]), words)
    return figures


def unescape(text: str) -> str:
    """Return the text before `escape`, except what it cut off."""
    return html.unescape(re.sub(r"\\(.)", r"\1", text))


def details(summary: str, content: str) -> str:
    """Return a block that opens on a click; blank lines make GitHub read the table inside."""
    return f"<details><summary>{summary}</summary>\n\n{content}\n\n</details>"


def file_name(text: str) -> str:
    """Return `text` as a part of a file name and of a link: no separators, no leading dot."""
    return re.sub(r"[^A-Za-z0-9._-]", "-", text).lstrip(".") or "unnamed"


def join_words(words: Sequence[str]) -> str:
    """Return `a`, `a and b`, or `a, b and c`."""
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last


def shell_list(*words: str) -> str:
    """Return the words joined by commas; `...` if they are not safe to paste into a shell."""
    text = ",".join(words)
    return text if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._:,-]*", text) else "..."
