"""The citation of a run: one hash over all that it holds, and an entry for a bibliography."""

from collections import Counter
from collections.abc import Iterator

from bench.record.run import RunModel
from reports.results.content_hash import SHORT_HASH
from reports.results.machine import hardware
from reports.results.report import Report
from reports.text import comma_list, one_line, plural

# what TeX would take for a command; the last three have no business in a name
TEX = str.maketrans({**{sign: f"\\{sign}" for sign in "&%$#_{}"}, **dict.fromkeys("\\~^", " ")})


def section(report: Report) -> Iterator[str]:
    """Yield the entry, unless it is a smoke run, and the records with their hash."""
    statuses = Counter(record.status for record in report.records)
    by_status = comma_list(f"{status} {n}" for status, n in sorted(statuses.items()))
    smoke = report.run.profile == "smoke"
    yield "## How to cite"
    if smoke:
        yield "Not at all: a smoke run is not for citation."
    else:
        yield entry(report.run, report.content_hash)
    yield "## Records"
    yield (
        f"{plural(len(report.records), 'record')} ({by_status}). Content hash: "
        f"`{report.content_hash}`: SHA-256 over "
        "the bytes of `run.json` and, in the order of its plan, the `sha256` of each record, each "
        "followed by a newline. `samestep verify FOLDER` computes it and this report again."
    )


def entry(run: RunModel, content_hash: str) -> str:
    """Return the BibTeX entry, as a block of code."""
    date = run.created[:10]
    fields = {
        "title": tex(f"samestep report: {hardware(run)}; {date}"),
        # braces inside: it is not a first and a last name
        "author": "{samestep contributors}",
        "year": tex(date[:4]),
        "version": tex(run.samestep),
        "note": f"Content hash {content_hash}",
    }
    lines = "".join(f"  {name} = {{{value}}},\n" for name, value in fields.items())
    return f"```bibtex\n@misc{{samestep-{content_hash[:SHORT_HASH]},\n{lines}}}\n```"


def tex(text: str) -> str:
    """Return text from a record as it stands in TeX."""
    return one_line(text.translate(TEX))
