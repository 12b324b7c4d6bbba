"""Row 14: hostile text in a valid run stays text, and tables keep their shape."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from reports.results.report import Report
from reports.site.document import document
from tests.faults.matrix import Row, Try
from tests.records import build_record, build_run, environment, failed_record, plan
from tests.reports.tables_of import compose

TEXTS = {
    "Markdown": "**b** _i_ `c` [a](https://example.org) ![a](b.png) # h",
    "HTML": "</td></details><script>alert(1)</script><img src=x onerror=alert(1)>",
    "a link that runs": "[a](javascript:alert(1)) <a href=javascript:alert(1)>",
    "entities": "&lt;script&gt; &#60;b&#62;",
    "escape sequences": "\x1b[31mred\x1b[0m\x1b]0;title\x07\x9b2J",
    "controls": "a\x00b\x08c\x7fd\x85e",
    "bidirectional overrides": "\u202egnp.exe\u202c \u2066a\u2069",
    "a formula": "=cmd|' /C calc'!A0",
    "lines": "a\n\n| b | c |\n|---|---|\r\n# d\u2028e\u2029f",
    "backticks": "``` a `b` ```",
    "pipes": "a | b || c \\| d |",
    "backslashes": "a\\ b\\\\| c\\",
    "mentions": "@someone #1 www.example.org https://example.org",
}
# the end of a line, and a space that breaks no line
OURS = "\n\u00a0"
FENCED = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)
TAG = re.compile(r"<(/?\w+)")
TRIALS = plan(workloads=["mlp-512"], devices=["cuda:0"], rounds=2, seeds=())


def hostile_text(share: float, folder: Path) -> Iterator[Try]:
    """Try each text in each field, and compare it with a harmless text in the same field."""
    cases = [(field, name) for name in TEXTS for field in FIELDS]
    harmless = {field: shape(report_with(field, "x"), folder) for field in FIELDS}
    for field, name in cases[:: round(1 / share)]:
        text = report_with(field, TEXTS[name])
        characters = {character for character in text if not character.isprintable()}
        wrong = [repr(character) for character in sorted(characters - set(OURS))]
        if shape(text, folder) != harmless[field]:
            wrong.append("the page has another shape")
        yield Try(wrong=f"{name} in {field}: {', '.join(wrong)}" if wrong else None)


def report_with(field: str, text: str) -> str:
    """Return the report of a run with this text in one field."""
    machine = environment(gpu=True)
    machine |= FIELDS[field](text)
    run = build_run(TRIALS, gpu=True, environment=machine)
    records = [
        failed_record(trial, "failed", text, gpu=True)
        if field == "reason" and trial is TRIALS[-1]
        else build_record(trial, gpu=True, environment=machine)
        for trial in TRIALS
    ]
    return compose(Report(run, records))


def shape(text: str, folder: Path) -> tuple[list[int], list[str], list[str]]:
    """Return the number of cells of each table row, the tags, and the tags of the page."""
    rows = [line for line in text.split("\n") if line.startswith("|")]
    cells = [len(re.findall(r"(?<!\\)(?:\\\\)*\|", row)) for row in rows]
    tags = TAG.findall(FENCED.sub("", text))
    return cells, tags, TAG.findall(document(text, folder).html)


FIELDS: dict[str, Any] = {
    "system": lambda text: {"system": text},
    "cpu": lambda text: {"cpu": text},
    "machine": lambda text: {"machine": text},
    "gpu": lambda text: {"gpus": [{"name": text, "memory_bytes": 2**34, "driver": text}]},
    "versions": lambda text: {"versions": {"numpy": text, text: "1"}},
    "variables": lambda text: {"variables": {"OMP_NUM_THREADS": text}},
    "reason": lambda text: {},
}

ROW = Row(number=14, fault="hostile text in a valid run", tries=hostile_text)
