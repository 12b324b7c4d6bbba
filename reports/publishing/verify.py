"""Verify a report: compute all of it again from the records, and compare."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench.errors import RecordError, SamestepError
from bench.record import as_line, read_capped
from bench.record.archive import ARCHIVE
from bench.record.folder import planned_certificates
from bench.record.run import RUN_FILE, RunModel, read_run, run_bytes
from bench.record.stored import RECORDS, StoredRecord, record_path, stored_records
from reports.publishing.differences import (
    ABSENT,
    Difference,
    figure_differences,
    software_notes,
    text_differences,
)
from reports.report import NETWORK_PAGES, REPORT_FILE, figures, pages
from reports.results.impossible import reject_impossible
from reports.results.report import Report
from reports.sections.citing import url_of
from reports.sections.title import baseline_of
from reports.text import FIGURE_FOLDER, plural


@dataclass(frozen=True, kw_only=True)
class Verification:
    """The differences between a run's folder and what follows from its records.

    `content_hash` is None if the run or its records can't be read.
    """

    folder: Path
    differences: tuple[Difference, ...]
    records: int = 0
    content_hash: str | None = None
    notes: tuple[str, ...] = ()


def find_runs(path: Path) -> list[Path]:
    """Return the folder itself, or its sub-folders, that hold a part of a run.

    Raises `RecordError` if there are none.
    """
    # a run without its run.json is verified too, and fails
    parts = (RUN_FILE, REPORT_FILE, ARCHIVE, RECORDS)
    if any((path / name).exists() for name in parts):
        return [path]
    folders = {part.parent for name in parts for part in path.glob(f"*/{name}")}
    if not folders:
        raise RecordError(
            f"{path} holds no run. Expected: a run's folder, or a folder of such. "
            f"Received: no {RUN_FILE}"
        )
    return sorted(folders)


def verify(folder: Path) -> Verification:
    """Compare the content of a run's folder with what follows from its run.json and records.

    A damaged folder is a difference, not an error.
    """
    try:
        run = read_run(folder)
        records = list(stored_records(folder, run))
        with reject_impossible(folder):
            return recompute(folder, run, records)
    except SamestepError as error:
        return unreadable_run(folder, str(error))


def unreadable_run(folder: Path, reason: str) -> Verification:
    """Return the result for a run whose files can't be read or used."""
    damage = Difference(
        file=f"{RUN_FILE} or a record", where="", expected="as it was written", found=reason
    )
    return Verification(folder=folder, differences=(damage,))


def recompute(folder: Path, run: RunModel, stored: Sequence[StoredRecord]) -> Verification:
    """Compute report and figures from the records, and compare all files of the folder."""
    shown = read_text(folder / REPORT_FILE) or ""
    records = [entry.record for entry in stored]
    report = Report(run, records, baseline_of(shown), url_of(shown))
    texts = pages(report)
    drawn = dict(figures(report, "".join(texts.values())))
    actual = {path.name: read_capped(path) for path in (folder / FIGURE_FOLDER).glob("*")}
    return Verification(
        folder=folder,
        records=len(stored),
        content_hash=report.content_hash,
        differences=(
            *spelling_differences(folder, run, stored),
            *foreign_files(folder, run),
            *certificate_differences(run, stored),
            *page_differences(folder, texts),
            *figure_differences(FIGURE_FOLDER, drawn, actual),
        ),
        notes=tuple(software_notes(FIGURE_FOLDER, drawn, actual)),
    )


def page_differences(folder: Path, texts: Mapping[str, str]) -> Iterator[Difference]:
    """Yield pages with another text, and pages of networks that the run does not have."""
    for name, text in texts.items():
        yield from text_differences(name, text, read_text(folder / name))
    for path in sorted(folder.glob(NETWORK_PAGES)):
        if path.name not in texts:
            yield Difference(file=path.name, where="", expected=ABSENT, found="a file")


def read_text(path: Path) -> str | None:
    """Read a file, with U+FFFD for what is not UTF-8; None if there is no such file."""
    return read_capped(path).decode(errors="replace") if path.exists() else None


def spelling_differences(
    folder: Path, run: RunModel, stored: Sequence[StoredRecord]
) -> Iterator[Difference]:
    """Yield files with the same values in other bytes, such as more digits than a float has."""
    yield from text_differences(RUN_FILE, run_bytes(run).decode(), read_text(folder / RUN_FILE))
    for entry in stored:
        canonical = as_line(json.loads(entry.content))
        yield from text_differences(entry.place, canonical.decode(), entry.content.decode())


def foreign_files(folder: Path, run: RunModel) -> Iterator[Difference]:
    """Yield files among the records that belong to no trial of the plan."""
    planned = {record_path(folder, trial).name for trial in run.trials}
    for path in sorted((folder / RECORDS).glob("*")):
        if path.name not in planned:
            file = f"{RECORDS}/{path.name}"
            yield Difference(file=file, where="", expected=ABSENT, found="a file")


def certificate_differences(run: RunModel, stored: Sequence[StoredRecord]) -> Iterator[Difference]:
    """Yield records that do not name the certificate that the plan gives their trial."""
    if all(trial.kind != "parity" for trial in run.trials):
        return
    by_name = {entry.record.name: entry for entry in stored}
    for trial, certificate in planned_certificates(run.trials):
        entry = by_name.get(trial.name)
        if entry is None or entry.record.parity is None:
            continue
        reference = entry.record.parity.certificate_sha256
        proof = None if certificate is None else by_name.get(certificate.name)
        expected = None if proof is None else proof.record.sha256
        if reference != expected:
            yield Difference(
                file=entry.place,
                where="parity.certificate_sha256",
                expected=expected or "null",
                found=reference or "null",
            )


def as_json(results: Sequence[Verification]) -> dict[str, Any]:
    """Return the results of several runs as one object."""
    return {
        "verified": not any(result.differences for result in results),
        "runs": [{**asdict(result), "folder": str(result.folder)} for result in results],
    }


def as_text(result: Verification) -> str:
    """Write the result of a run; expected lines begin with a minus, actual lines with a plus."""
    if result.differences:
        head = f"{result.folder}: {plural(len(result.differences), 'difference')}"
    else:
        records = plural(result.records, "record")
        head = f"{result.folder}: verified: {records}, content hash {result.content_hash}"
    notes = [f"  {note}" for note in result.notes]
    return "\n".join([head, *map(excerpt, result.differences), *notes])


def excerpt(difference: Difference) -> str:
    """Write the place of a difference, and below it both sides."""
    sides = (("-", difference.expected), ("+", difference.found))
    lines = [f"    {sign} {line}" for sign, text in sides for line in text.split("\n")]
    return "\n".join([f"  {difference.place}", *lines])
