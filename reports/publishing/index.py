"""The table of published runs in a folder's README, between two markers."""

from collections.abc import Sequence
from pathlib import Path

from bench.errors import RecordError
from bench.files import write_atomically
from bench.record import Record, read_capped
from bench.record.run import RUN_FILE, RunModel, read_run
from bench.record.stored import read_records
from bench.spec import MODES
from reports.report import REPORT_FILE
from reports.results.cells import has_timing
from reports.results.content_hash import SHORT_HASH, content_hash
from reports.results.machine import short_machine
from reports.results.report import Report
from reports.sections.headline import answer
from reports.text import comma_list, escape, plural, table

README = "README.md"
BEGIN, END = "<!-- runs -->", "<!-- /runs -->"
HEADERS = ["date", "machine", "answer", "what was measured", "content hash", "report"]
TITLE = "# Published runs"


def write_index(directory: Path) -> None:
    """Update the table of the runs in the folder's README; its other text stays."""
    readme = directory / README
    text = read_capped(readme).decode() if readme.exists() else f"{TITLE}\n"
    write_atomically(readme, insert_table(text, directory).encode())


def insert_table(text: str, directory: Path) -> str:
    """Return `text` with the table between its markers, or at its end if it has none.

    Raises `RecordError` for one marker without the other, and for a damaged run.
    """
    if (BEGIN in text) != (END in text):
        raise RecordError(
            f"{directory / README} has one marker of its table. Expected: {BEGIN} and {END}. "
            "Put the other where the table begins or ends"
        )
    if BEGIN not in text:
        text = f"{text.rstrip()}\n\n{BEGIN}\n{END}\n"
    before, _, rest = text.partition(BEGIN)
    after = rest.partition(END)[2]
    return f"{before}{BEGIN}\n\n{table(HEADERS, rows(directory))}\n\n{END}{after}"


def rows(directory: Path) -> list[list[str]]:
    """Return one row per run in the sub-folders: first those with timing, the newest first."""
    runs = [(read_run(path.parent), path.parent) for path in directory.glob(f"*/{RUN_FILE}")]
    runs.sort(key=lambda pair: (has_timing(pair[0]), pair[0].created, pair[1].name), reverse=True)
    return [row(run, list(read_records(folder, run)), folder.name) for run, folder in runs]


def row(run: RunModel, records: Sequence[Record], name: str) -> list[str]:
    """Write one row; `name` is that of the run's folder."""
    return [
        run.created[:10],
        escape(short_machine(run)),
        answer(Report(run, records)),
        escape(f"{run.profile}: {contents(run, records)}"),
        f"`{content_hash(run, records)[:SHORT_HASH]}`",
        f"[{name}]({name}/{REPORT_FILE})",
    ]


def contents(run: RunModel, records: Sequence[Record]) -> str:
    """List workloads, backends, devices, modes, rounds and seeds, and what is missing."""
    trials = run.trials
    modes = {trial.execution.mode for trial in trials}
    rounds = {trial.round for trial in trials if trial.round is not None}
    seeds = sorted({trial.seed for trial in trials if trial.kind == "accuracy"})
    unavailable = {name for name, entry in run.backends.items() if entry.unavailable is not None}
    unavailable |= {record.trial.backend for record in records if record.status == "unavailable"}
    parts = [
        f"{comma_list(dict.fromkeys(trial.workload for trial in trials))} on "
        f"{comma_list(sorted({trial.backend for trial in trials}))}",
        f"devices: {comma_list(sorted({trial.execution.device for trial in trials}))}",
        f"modes: {comma_list(mode for mode in MODES if mode in modes)}",
        plural(len(rounds), "round") if rounds else "no timing",
        f"seeds: {comma_list(seeds)}" if seeds else "no trainings",
    ]
    parts += [f"unavailable: {comma_list(sorted(unavailable))}"] if unavailable else []
    missing = len(trials) - len(records)
    parts += [f"incomplete: {plural(missing, 'trial')} without a record"] if missing else []
    return "; ".join(parts)
