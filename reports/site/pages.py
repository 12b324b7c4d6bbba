"""The pages as text, made from templates; each page contains its style and script."""

import base64
import hashlib
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from bench.record.run import RunModel
from reports.compare import ComparedRun
from reports.results.cells import has_timing
from reports.results.machine import short_machine
from reports.results.report import SMOKE, Report
from reports.sections.headline import answer
from reports.site.document import Heading, document, inline_html
from reports.site.pairs import pairs, ranking
from reports.site.rows import COLUMNS, FILTERS, NUMBERS, cell_rows, choices
from reports.site.runs import link, page_text

RUN_HEADERS = ("machine", "answer", "date", "profile", "report")


def index_page(runs: Sequence[ComparedRun]) -> str:
    """Return the page that lists the runs and all their cells."""
    rows = cell_rows(runs)
    answers_first = sorted(runs, key=lambda compared: not is_ranking(compared.run))
    return render(
        "index.html.j2",
        here="index.html",
        title="samestep: published runs",
        run_headers=RUN_HEADERS,
        runs=[run_row(run) for run in answers_first],
        columns=COLUMNS,
        numbers=NUMBERS,
        filters=[(name, COLUMNS.index(name), choices(rows, name)) for name in FILTERS],
        rows=rows,
    )


def is_ranking(run: RunModel) -> bool:
    """Return whether a run says which framework is faster."""
    return has_timing(run) and run.profile != "smoke"


def run_row(compared: ComparedRun) -> list[Markup]:
    """Return one row of the index, in the order of `RUN_HEADERS`."""
    run = compared.run
    return [
        escape(short_machine(run)),
        inline_html(answer(Report(run, compared.records))),
        Markup("<time>{}</time>").format(run.created[:10]),
        escape(SMOKE if run.profile == "smoke" else run.profile),
        link(compared),
    ]


def report_page(run: ComparedRun, page: Path) -> str:
    """Return the HTML of a page of a report, with the same text as its Markdown."""
    text = document(page_text(page), page.parent)
    return render(
        "report.html.j2",
        root="../",
        title=f"{run.name}: samestep report",
        name=run.name,
        source=page.name,
        text=text.html,
        sections=sections(text.headings),
    )


def sections(headings: Sequence[Heading]) -> list[list[Heading]]:
    """Group the headings: each of level 2, followed by those of level 3 below it."""
    groups: list[list[Heading]] = []
    for heading in headings:
        if heading.level == 2:
            groups.append([heading])
        elif heading.level == 3 and groups:
            groups[-1].append(heading)
    return groups


def compare_page(runs: Sequence[ComparedRun], directory: Path) -> str:
    """Return the page that compares any two runs."""
    ranked = ranking(runs)
    return render(
        "compare.html.j2",
        here="compare.html",
        title="samestep: two runs compared",
        runs=[run.name for run in ranked],
        pairs=list(pairs(ranked, directory)),
    )


def render(template: str, **values: Any) -> str:
    """Fill in a template; values that are not `Markup` are escaped."""
    return environment().get_template(template).render({"root": "", "here": "", **values})


@cache
def environment() -> Environment:
    """Return the templates' environment; an unknown name in a template is an error."""
    templates = Environment(
        loader=PackageLoader("reports.site"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    script = own_file("script.js")
    # with the digest a browser runs this script and no other, whatever a report's text contains
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    style = own_file("style.css")
    templates.globals |= {"script": script, "script_digest": digest, "style": style}
    return templates


def own_file(name: str) -> Markup:
    """Return the text of a file in this folder."""
    return Markup(Path(__file__).with_name(name).read_text(encoding="utf-8"))
