"""What the README quotes of published reports: their first paragraphs, word for word.

`python -m scripts.pages.readme` writes them into README.md.
"""

from collections.abc import Iterator
from itertools import takewhile

from scripts.pages import marked

PAGE = marked.ROOT / "README.md"
PUBLISHED = "reports/published"
# the newest in which Keras and PyTorch as they come are timed, and trained to verdicts
QUOTED = ("2026-11-24-amd-epyc-2-cores", "2026-11-27-amd-epyc-2-cores-ten-seeds")


def quotations() -> Iterator[str]:
    for name in QUOTED:
        report = marked.ROOT / PUBLISHED / name / "report.md"
        _, *blocks = report.read_text(encoding="utf-8").split("\n\n")
        yield from takewhile(lambda block: block.startswith(("**On this machine**", "- ")), blocks)
        yield f"All of it: [{name}]({PUBLISHED}/{name}/report.md)."


def page(text: str) -> str:
    """Return the page with its quotations read from the reports."""
    return marked.filled(text, *marked.marks("readme"), "\n\n".join(quotations()))


if __name__ == "__main__":
    marked.write(PAGE, page)
