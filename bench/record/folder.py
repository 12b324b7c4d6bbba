"""A run's folder: its records, from files or from an archive."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.errors import RecordError
from bench.record import (
    LARGEST_JSON_BYTES,
    Record,
    TrialModel,
    parse_record,
    read_capped,
)
from bench.record.archive import ARCHIVE, read_lines
from bench.record.run import RunModel

RECORDS = "records"


def refuse_links(folder: Path) -> None:
    """Raise `RecordError` where anything in a run's folder is a link, or can't be looked at.

    Through a stranger's links we would write logs, records and figures into any folder of the
    user's, and remove what we take for our own figures there.
    """
    try:
        link = first_link(folder)
    except OSError as error:
        raise RecordError(f"cannot read {error.filename}: {error.strerror}") from error
    if link is not None:
        raise RecordError(
            f"{link} is a link. Expected: the run's own files and folders. "
            f"Received: a link to {link.readlink()}. Remove it"
        )


def first_link(folder: Path) -> Path | None:
    """A link in the folder, or in a folder in it; None where there is none. Raises `OSError`.

    No file of ours lies deeper: what does is a compiler's, in its cache.
    """
    inside = list(folder.iterdir())
    folders = [path for path in inside if path.is_dir() and not path.is_symlink()]
    below = [path for one in folders for path in one.iterdir()]
    return next(filter(Path.is_symlink, [*inside, *below]), None)


def record_path(folder: Path, trial: TrialModel) -> Path:
    return folder / RECORDS / f"{trial.name}.json"


def read_records(folder: Path, run: RunModel) -> Iterator[Record]:
    """The records of the plan's trials that exist, in the plan's order, from files or an archive.

    Raises `RecordError` for one that is damaged or belongs to another run or trial.
    """
    return (stored.record for stored in stored_records(folder, run))


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRecord:
    """A record, the bytes it was read from, and where in the run's folder they stand."""

    place: str
    content: bytes
    record: Record


def stored_records(folder: Path, run: RunModel) -> Iterator[StoredRecord]:
    """`read_records`, with what the records were read from."""
    if not is_there(folder / ARCHIVE):
        return filed_records(folder, run)
    if (folder / RECORDS).exists():
        raise RecordError(
            f"{folder} holds its records twice. Expected: {ARCHIVE} or {RECORDS}/. Received: both"
        )
    return archived_records(folder, run)


def filed_records(folder: Path, run: RunModel) -> Iterator[StoredRecord]:
    if (folder / RECORDS).is_symlink():
        raise RecordError(
            f"{folder / RECORDS} is a link. Expected: the run's own folder of records"
        )
    for trial in run.trials:
        path = record_path(folder, trial)
        if not is_there(path):
            continue
        content = read_capped(path, LARGEST_JSON_BYTES)
        record = parse_record(content, path.name)
        if record.run_id != run.run_id or record.trial != trial:
            raise RecordError(
                f"{path.name} belongs to another run or trial. Expected: run {run.run_id}. "
                f"Received: run {record.run_id}. Move it out of the folder"
            )
        yield StoredRecord(place=f"{RECORDS}/{path.name}", content=content, record=record)


def is_there(path: Path) -> bool:
    """Also a link to nowhere is. Raises `RecordError` where that can't be told."""
    try:
        path.lstat()
    except FileNotFoundError:
        return False
    except OSError as error:
        raise RecordError(f"cannot read {path}: {error.strerror}") from error
    return True


def archived_records(folder: Path, run: RunModel) -> Iterator[StoredRecord]:
    planned = iter(run.trials)
    for number, content in enumerate(read_lines(folder / ARCHIVE), start=1):
        place = f"{ARCHIVE}, line {number}"
        record = parse_record(content, place)
        # looked for in what is left of the plan: some of its trials may have no record
        if record.run_id != run.run_id or record.trial not in planned:
            raise RecordError(
                f"{place} belongs to another run or trial, or is not in the plan's order. "
                f"Expected: a trial of run {run.run_id} after the line before. "
                f"Received: {record.name} of run {record.run_id}. Get the file anew"
            )
        yield StoredRecord(place=place, content=content, record=record)
