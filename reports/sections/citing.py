"""The citation of a run: a hash of all its content, and an entry for a bibliography."""

import re
from collections import Counter
from collections.abc import Iterator

from reports.results.cells import has_timing, rounds
from reports.results.content_hash import SHORT_HASH
from reports.results.machine import hardware, machines
from reports.results.report import Report
from reports.text import comma_list, details, escape, one_line, plural

# no character that ends a link in Markdown, a field in BibTeX or an attribute in HTML
URL = re.compile(r"https?://[A-Za-z0-9._~:/?#@!$&()*+,;=%-]+")
# characters that TeX reads as commands; the last three become spaces
TEX = str.maketrans({**{sign: f"\\{sign}" for sign in "&%$#_{}"}, **dict.fromkeys("\\~^", " ")})


def section(report: Report) -> Iterator[str]:
    """Yield a line and an entry to cite the run with; a smoke run is not for citation."""
    yield "## How to cite"
    if report.run.profile == "smoke":
        yield "Not at all: a smoke run is not for citation."
        return
    yield plain_citation(report)
    yield details("BibTeX", entry(report))


def plain_citation(report: Report) -> str:
    """Return the line that names what, where, when, how often, and the hash."""
    run = report.run
    timed = f", {plural(rounds(run), 'round')}" if has_timing(run) else ""
    text = escape(
        f"samestep {run.samestep}, {machines(run)}, {run.created[:10]}{timed}, run "
        f"{run.run_id}, content hash {report.content_hash[:SHORT_HASH]}"
    )
    return f"{text}, <{report.url}>." if report.url else f"{text}."


def records(report: Report) -> Iterator[str]:
    """Yield the number of records with their hash."""
    statuses = Counter(record.status for record in report.records)
    by_status = comma_list(f"{status} {n}" for status, n in sorted(statuses.items()))
    yield "## Records"
    yield (
        f"{plural(len(report.records), 'record')} ({by_status}). Content hash: "
        f"`{report.content_hash}`: SHA-256 over "
        "the bytes of `run.json` and, in the order of its plan, the `sha256` of each record, each "
        "followed by a newline. `samestep verify FOLDER` computes it and this report again."
    )


def entry(report: Report) -> str:
    """Return the BibTeX entry, as a block of code."""
    run, content_hash = report.run, report.content_hash
    date = run.created[:10]
    fields = {
        "title": tex(f"samestep report: {hardware(run)}; {date}"),
        # the inner braces keep BibTeX from splitting it into a first and a last name
        "author": "{samestep contributors}",
        "year": tex(date[:4]),
        "version": tex(run.samestep),
        "note": f"Content hash {content_hash}",
        **({"url": report.url} if report.url else {}),
    }
    lines = "".join(f"  {name} = {{{value}}},\n" for name, value in fields.items())
    return f"```bibtex\n@misc{{samestep-{content_hash[:SHORT_HASH]},\n{lines}}}\n```"


def url_of(text: str) -> str:
    """Return the address that the BibTeX entry of a report has; empty without one."""
    match = re.search(rf"^  url = \{{({URL.pattern})\}},$", text, re.MULTILINE)
    return "" if match is None else match[1]


def tex(text: str) -> str:
    """Return text from a record with its special characters escaped for TeX."""
    return one_line(text.translate(TEX))
