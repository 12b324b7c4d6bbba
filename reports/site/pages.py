"""The pages as text, from the templates; style and script stand inside each page."""

import base64
import hashlib
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from reports.compare import ComparedRun
from reports.sections.summary import SMOKE
from reports.site.document import Heading, document, inline
from reports.site.pairs import pairs, ranking
from reports.site.rows import COLUMNS, FILTERS, NUMBERS, cell_rows, choices
from reports.site.runs import contents, link, machine, report_text


def index_page(runs: Sequence[ComparedRun]) -> str:
    rows = cell_rows(runs)
    return render(
        "index.html.j2",
        here="index.html",
        title="samestep: published runs",
        runs=[run_row(one) for one in runs],
        columns=COLUMNS,
        numbers=NUMBERS,
        filters=[(name, COLUMNS.index(name), choices(rows, name)) for name in FILTERS],
        rows=rows,
    )


def run_row(one: ComparedRun) -> list[Markup]:
    profile = SMOKE if one.run.profile == "smoke" else one.run.profile
    return [
        link(one),
        Markup("<time>{}</time>").format(one.run.created[:10]),
        escape(profile),
        inline(contents(one)),
        inline(machine(one)),
    ]


def report_page(one: ComparedRun, folder: Path) -> str:
    """The report in `folder`, the same text as its Markdown."""
    found = document(report_text(folder), folder)
    return render(
        "report.html.j2",
        root="../",
        title=f"{one.name}: samestep report",
        name=one.name,
        text=found.html,
        sections=sections(found.headings),
    )


def sections(headings: Sequence[Heading]) -> list[list[Heading]]:
    """Each heading of the second level with those of the third below it."""
    found: list[list[Heading]] = []
    for one in headings:
        if one.level == 2:
            found.append([one])
        elif one.level == 3 and found:
            found[-1].append(one)
    return found


def compare_page(runs: Sequence[ComparedRun], directory: Path) -> str:
    ranked = ranking(runs)
    return render(
        "compare.html.j2",
        here="compare.html",
        title="samestep: two runs compared",
        runs=[one.name for one in ranked],
        pairs=list(pairs(ranked, directory)),
    )


def render(template: str, **values: Any) -> str:
    return environment().get_template(template).render({"root": "", "here": "", **values})


@cache
def environment() -> Environment:
    """Everything is escaped but what is `Markup` already; an unknown name is an error."""
    found = Environment(
        loader=PackageLoader("reports.site"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    script = own_file("script.js")
    # a browser then runs this script and no other, whatever a report's text holds
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    found.globals |= {"script": script, "script_digest": digest, "style": own_file("style.css")}
    return found


def own_file(name: str) -> Markup:
    return Markup(Path(__file__).with_name(name).read_text(encoding="utf-8"))
