"""What the README quotes of published reports: their first paragraphs, word for word.

`python -m scripts.pages.readme` writes them into README.md.
"""

from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path

from bench.files import write_atomically

ROOT = Path(__file__).resolve().parent.parent.parent
PAGE = ROOT / "README.md"
PUBLISHED = "reports/published"
# the newest in which Keras and PyTorch as they come are timed, and trained to verdicts
QUOTED = ("2026-11-24-amd-epyc-2-cores", "2026-11-27-amd-epyc-2-cores-ten-seeds")
BEGIN, END = "<!-- made by scripts.pages.readme -->", "<!-- end of scripts.pages.readme -->"


def quotations() -> Iterator[str]:
    for name in QUOTED:
        report = ROOT / PUBLISHED / name / "report.md"
        _, *blocks = report.read_text(encoding="utf-8").split("\n\n")
        yield from takewhile(lambda block: block.startswith(("**On this machine**", "- ")), blocks)
        yield f"All of it: [{name}]({PUBLISHED}/{name}/report.md)."


def page(text: str) -> str:
    """The page with its quotations made anew."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return "\n\n".join([f"{before}{BEGIN}", *quotations(), f"{END}{after}"])


if __name__ == "__main__":
    write_atomically(PAGE, page(PAGE.read_text(encoding="utf-8")).encode())
