"""Quote the first paragraphs of two published reports, word for word, in the README.

`python -m scripts.pages.readme` writes them into README.md.
"""

from collections.abc import Iterator
from itertools import takewhile

from scripts.pages import marked

PAGE = marked.ROOT / "README.md"
PUBLISHED = "reports/published"
# the newest runs that time Keras and PyTorch in the default mode, and compare their accuracies
QUOTED = ("2026-11-24-amd-epyc-2-cores", "2026-11-27-amd-epyc-2-cores-ten-seeds")


def quotations() -> Iterator[str]:
    for name in QUOTED:
        report = marked.ROOT / PUBLISHED / name / "report.md"
        _, *blocks = report.read_text(encoding="utf-8").split("\n\n")
        yield from takewhile(lambda block: block.startswith(("**On this machine**", "- ")), blocks)
        yield f"All of it: [{name}]({PUBLISHED}/{name}/report.md)."


def page(text: str) -> str:
    """Return the page with its quotations read from the reports."""
    return marked.fill(text, *marked.marks("readme"), "\n\n".join(quotations()))


if __name__ == "__main__":
    marked.write(PAGE, page)
