"""Whether a report is what its records say: all of it is computed again and compared."""

import json
from collections.abc import Iterator, Sequence
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
    figures_not_compared,
    text_differences,
)
from reports.report import REPORT_FILE, compose, figures
from reports.results.impossible import figures_made_of
from reports.results.report import Report
from reports.text import FIGURE_FOLDER, plural


@dataclass(frozen=True, kw_only=True)
class Verification:
    """Without a difference the report follows from its records. No hash: they are unreadable."""

    folder: Path
    differences: tuple[Difference, ...]
    records: int = 0
    content_hash: str | None = None
    notes: tuple[str, ...] = ()


def runs_in(path: Path) -> list[Path]:
    """The folder itself, or those in it that hold something of a run; raises for none."""
    # a run that has lost its run.json is still one to complain about
    parts = (RUN_FILE, REPORT_FILE, ARCHIVE, RECORDS)
    if any((path / name).exists() for name in parts):
        return [path]
    found = {part.parent for name in parts for part in path.glob(f"*/{name}")}
    if not found:
        raise RecordError(
            f"{path} holds no run. Expected: a run's folder, or a folder of such. "
            f"Received: no {RUN_FILE}"
        )
    return sorted(found)


def verify(folder: Path) -> Verification:
    """Compare what a run's folder holds with what follows from its run.json and records.

    Raises nothing for a folder that is damaged: that is a difference.
    """
    try:
        run = read_run(folder)
        records = list(stored_records(folder, run))
        with figures_made_of(folder):
            return recompute(folder, run, records)
    except SamestepError as error:
        return unusable(folder, str(error))


def unusable(folder: Path, why: str) -> Verification:
    damage = Difference(
        file=f"{RUN_FILE} or a record", where="", expected="as it was written", found=why
    )
    return Verification(folder=folder, differences=(damage,))


def recompute(folder: Path, run: RunModel, stored: Sequence[StoredRecord]) -> Verification:
    """Write the report again, and return what differs from the files of the folder."""
    report = Report(run, [one.record for one in stored])
    text = compose(report)
    drawn = dict(figures(report, text))
    found = {path.name: read_capped(path) for path in (folder / FIGURE_FOLDER).glob("*")}
    return Verification(
        folder=folder,
        records=len(stored),
        content_hash=report.content_hash,
        differences=(
            *rewritten(folder, run, stored),
            *strangers(folder, run),
            *certificates(run, stored),
            *text_differences(REPORT_FILE, text, read_text(folder / REPORT_FILE)),
            *figure_differences(FIGURE_FOLDER, drawn, found),
        ),
        notes=tuple(figures_not_compared(FIGURE_FOLDER, drawn, found)),
    )


def read_text(path: Path) -> str | None:
    """None for a file that is not there; what is no UTF-8 shows as such."""
    return read_capped(path).decode(errors="replace") if path.exists() else None


def rewritten(folder: Path, run: RunModel, stored: Sequence[StoredRecord]) -> Iterator[Difference]:
    """Files that say the same in other bytes: one digit more or less than a float can hold."""
    yield from text_differences(RUN_FILE, run_bytes(run).decode(), read_text(folder / RUN_FILE))
    for one in stored:
        canonical = as_line(json.loads(one.content))
        yield from text_differences(one.place, canonical.decode(), one.content.decode())


def strangers(folder: Path, run: RunModel) -> Iterator[Difference]:
    """Files among the records that no trial of the plan left."""
    planned = {record_path(folder, trial).name for trial in run.trials}
    for path in sorted((folder / RECORDS).glob("*")):
        if path.name not in planned:
            file = f"{RECORDS}/{path.name}"
            yield Difference(file=file, where="", expected=ABSENT, found="a file")


def certificates(run: RunModel, stored: Sequence[StoredRecord]) -> Iterator[Difference]:
    """Yield the trials whose record does not name the certificate of the plan."""
    if all(trial.kind != "parity" for trial in run.trials):
        return
    by_name = {one.record.name: one for one in stored}
    for trial, certificate in planned_certificates(run.trials):
        one = by_name.get(trial.name)
        if one is None or one.record.parity is None:
            continue
        named = one.record.parity.certificate_sha256
        wanted = None if certificate is None else by_name.get(certificate.name)
        expected = None if wanted is None else wanted.record.sha256
        if named != expected:
            yield Difference(
                file=one.place,
                where="parity.certificate_sha256",
                expected=expected or "null",
                found=named or "null",
            )


def as_json(results: Sequence[Verification]) -> dict[str, Any]:
    return {
        "verified": not any(one.differences for one in results),
        "runs": [{**asdict(one), "folder": str(one.folder)} for one in results],
    }


def as_text(result: Verification) -> str:
    """Expected lines stand after a minus, those that were found after a plus."""
    if result.differences:
        head = f"{result.folder}: {plural(len(result.differences), 'difference')}"
    else:
        counted = plural(result.records, "record")
        head = f"{result.folder}: verified: {counted}, content hash {result.content_hash}"
    notes = [f"  {note}" for note in result.notes]
    return "\n".join([head, *map(excerpt, result.differences), *notes])


def excerpt(one: Difference) -> str:
    sides = (("-", one.expected), ("+", one.found))
    lines = [f"    {sign} {line}" for sign, text in sides for line in text.split("\n")]
    return "\n".join([f"  {one.place}", *lines])
