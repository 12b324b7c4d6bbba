"""How a run is cited: one hash over all that it holds, and an entry for a bibliography."""

from collections import Counter
from collections.abc import Sequence

from bench.record import Record
from bench.record.run import RunModel
from reports.results.content_hash import SHORT_HASH, content_hash
from reports.results.machine import hardware
from reports.text import listed, plural, printable

# what TeX would take for a command; the last three have no business in a name
TEX = str.maketrans({**{sign: f"\\{sign}" for sign in "&%$#_{}"}, **dict.fromkeys("\\~^", " ")})


def section(run: RunModel, records: Sequence[Record]) -> list[str]:
    statuses = Counter(record.status for record in records)
    by_status = listed(f"{status} {n}" for status, n in sorted(statuses.items()))
    found = content_hash(run, records)
    smoke = run.profile == "smoke"
    return [
        "## How to cite",
        "Not at all: a smoke run is not for citation." if smoke else entry(run, found),
        "## Records",
        f"{plural(len(records), 'record')} ({by_status}). Content hash: `{found}`: SHA-256 over "
        "the bytes of `run.json` and, in the order of its plan, the `sha256` of each record, each "
        "followed by a newline. `samestep verify FOLDER` computes it and this report again.",
    ]


def entry(run: RunModel, found: str) -> str:
    """BibTeX, as a block of code."""
    date = run.created[:10]
    fields = {
        "title": tex(f"samestep report: {hardware(run)}; {date}"),
        # braces inside: it is nobody's first and last name
        "author": "{samestep contributors}",
        "year": tex(date[:4]),
        "version": tex(run.samestep),
        "note": f"Content hash {found}",
    }
    lines = "".join(f"  {name} = {{{value}}},\n" for name, value in fields.items())
    return f"```bibtex\n@misc{{samestep-{found[:SHORT_HASH]},\n{lines}}}\n```"


def tex(text: str) -> str:
    return printable(text.translate(TEX))
