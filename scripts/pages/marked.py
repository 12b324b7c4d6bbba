"""Replace the parts of pages that programs write, each between two comments."""

from collections.abc import Callable
from pathlib import Path

from bench.files import write_atomically

ROOT = Path(__file__).resolve().parent.parent.parent


def marks(maker: str) -> tuple[str, str]:
    """Return the two comments around each part that `scripts/pages/<maker>.py` writes."""
    return f"<!-- made by scripts.pages.{maker} -->", f"<!-- end of scripts.pages.{maker} -->"


def fill(text: str, begin: str, end: str, *parts: str) -> str:
    """Return the page with the text between each pair of marks replaced, first part first.

    Raises `ValueError` if the page has another number of marks than there are parts.
    """
    before, *rest = text.split(begin)
    if len(rest) != len(parts) or any(end not in after for after in rest):
        raise ValueError(
            f"cannot fill the page. Expected: {len(parts)} times {begin} followed by {end}. "
            f"Received: {len(rest)} times the first, {text.count(end)} times the second"
        )
    made = [
        f"{begin}\n\n{part}\n\n{end}{after.partition(end)[2]}"
        for part, after in zip(parts, rest, strict=True)
    ]
    return "".join([before, *made])


def write(path: Path, page: Callable[[str], str]) -> None:
    """Write a page as `page` makes it from its present text."""
    write_atomically(path, page(path.read_text(encoding="utf-8")).encode())
