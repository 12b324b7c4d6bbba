"""Show in the README what `samestep show` prints of a published run.

`python -m scripts.pages.terminal` writes it into README.md.
"""

import os
from unittest.mock import patch

from bench.cli.show import answer
from bench.record.run import read_run
from bench.record.stored import read_records
from reports.results.report import Report
from scripts.pages import marked

PAGE = marked.ROOT / "README.md"
# the newest run that times the two default backends on all workloads
RUN = "reports/published/2026-11-24-amd-epyc-2-cores"
COLUMNS = 80


def screen() -> str:
    """Return the command and its output in a terminal of `COLUMNS` columns."""
    folder = marked.ROOT / RUN
    run = read_run(folder)
    with patch.dict(os.environ, COLUMNS=str(COLUMNS)):
        text = answer(Report(run, tuple(read_records(folder, run))))
    return f"```text\n$ samestep show {RUN}\n{text}\n```"


def page(text: str) -> str:
    """Return the page with the output of the command."""
    return marked.fill(text, *marked.marks("terminal"), screen())


if __name__ == "__main__":
    marked.write(PAGE, page)
