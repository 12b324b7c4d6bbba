"""The runs that a site is made of, each read once for all pages."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import quote

from markupsafe import Markup

from bench.errors import RecordError, UsageError
from bench.run_file import RUN_FILE, read_records, read_run
from reports.cells import backends, group, rounds, workloads
from reports.compare import ComparedRun
from reports.machine import machine_in_words
from reports.markdown import REPORT_FILE
from reports.summary import declared_seeds
from reports.text import escape, listed, plural


def read_all(directory: Path) -> tuple[ComparedRun, ...]:
    """The runs in the sub-folders, the newest first, under the names of their folders."""
    folders = sorted(path.parent for path in directory.glob(f"*/{RUN_FILE}"))
    if not folders:
        raise UsageError(f"no run to show. Expected: {RUN_FILE} in sub-folders of {directory}")
    return tuple(sorted(map(read, folders), key=lambda one: one.run.created, reverse=True))


def read(folder: Path) -> ComparedRun:
    run = read_run(folder)
    return ComparedRun(name=folder.name, run=run, cells=group(run, read_records(folder, run)))


def report_text(folder: Path) -> str:
    """The Markdown of a run's report as it stands on disk."""
    path = folder / REPORT_FILE
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise RecordError(
            f"cannot read {path}: {error.strerror}. Write it with: samestep report {folder}"
        ) from error


def machine(one: ComparedRun) -> str:
    """The machine in a line of Markdown."""
    return machine_in_words(one.run).removeprefix("Machine: ")


def contents(one: ComparedRun) -> str:
    """What a run is about in a line of Markdown: `5 workloads on pytorch; cpu; 10 rounds, ...`."""
    return "; ".join(
        [
            f"{few(workloads(one.cells), 'workload')} on {escape(listed(backends(one.cells)))}",
            *executions(one),
            amount(one),
        ]
    )


def executions(one: ComparedRun) -> Iterator[str]:
    """Devices, and the modes where a user had to ask for one."""
    found = [results.cell.execution for results in one.cells]
    yield escape(listed(dict.fromkeys(how.device for how in found)))
    modes = dict.fromkeys(how.mode for how in found)
    if set(modes) != {"default"}:
        yield f"modes {escape(listed(modes))}"


def amount(one: ComparedRun) -> str:
    """How much was timed and trained."""
    seeds = declared_seeds(one.run)
    timed = plural(rounds(one.run), "round") if rounds(one.run) else "no timing"
    return f"{timed}, {plural(len(seeds), 'seed') if seeds else 'no trainings'}"


def few(names: Sequence[str], noun: str) -> str:
    """The names where they are one or two, else how many."""
    return escape(listed(names)) if len(names) < 3 else plural(len(names), noun)


def link(one: ComparedRun) -> Markup:
    """To a run's page, from the index."""
    target = quote(f"{one.name}/index.html")
    return Markup('<a href="{}">{}</a>').format(target, one.name)
