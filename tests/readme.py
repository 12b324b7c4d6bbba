"""What the newest full comparison found, in README. `python -m tests.readme` writes it anew."""

import re
from pathlib import Path

from bench.files import write_atomically

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "README.md"
REPORT = "reports/published/2026-11-25-amd-epyc-2-cores/report.md"
BEGIN, END = "<!-- made by tests.readme -->", "<!-- end of tests.readme -->"


def headline() -> str:
    """The report's first paragraph and its lines, as they stand there."""
    text = (ROOT / REPORT).read_text(encoding="utf-8")
    found = re.search(r"^\*\*On this machine\*\*.*?\n\n(?:- .*\n)+", text, re.MULTILINE)
    assert found is not None, f"{REPORT} has no first paragraph"
    return found[0].rstrip()


def page(text: str) -> str:
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{headline()}\n\n{END}{after}"


if __name__ == "__main__":
    write_atomically(PAGE, page(PAGE.read_text(encoding="utf-8")).encode())
