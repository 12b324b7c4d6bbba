"""The stored records of a run, read from files or from an archive."""

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


def record_path(folder: Path, trial: TrialModel) -> Path:
    """Return the path of the trial's record in a run's folder."""
    return folder / RECORDS / f"{trial.name}.json"


def read_records(folder: Path, run: RunModel) -> Iterator[Record]:
    """Yield the records of the plan's trials that exist, in the plan's order.

    Raises `RecordError` for a record that is damaged or belongs to another run or trial.
    """
    return (stored.record for stored in stored_records(folder, run))


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRecord:
    """A record, the bytes it was read from, and their place in the run's folder."""

    place: str
    content: bytes
    record: Record


def stored_records(folder: Path, run: RunModel) -> Iterator[StoredRecord]:
    """Yield what `read_records` does, with the bytes; raises `RecordError` as it does."""
    if not is_there(folder / ARCHIVE):
        return filed_records(folder, run)
    if (folder / RECORDS).exists():
        raise RecordError(
            f"{folder} holds its records twice. Expected: {ARCHIVE} or {RECORDS}/. Received: both"
        )
    return archived_records(folder, run)


def filed_records(folder: Path, run: RunModel) -> Iterator[StoredRecord]:
    """Yield the records that have a file each; raises `RecordError` if their folder is a link."""
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
    """Return whether the path exists; a dangling link counts.

    Raises `RecordError` if the system refuses to say.
    """
    try:
        path.lstat()
    except FileNotFoundError:
        return False
    except OSError as error:
        raise RecordError(f"cannot read {path}: {error.strerror}") from error
    return True


def archived_records(folder: Path, run: RunModel) -> Iterator[StoredRecord]:
    """Yield the records of the run's archive, one per line, which follow the plan's order."""
    planned = iter(run.trials)
    for number, content in enumerate(read_lines(folder / ARCHIVE), start=1):
        place = f"{ARCHIVE}, line {number}"
        record = parse_record(content, place)
        # `in` searches the rest of the plan: some of its trials may have no record
        if record.run_id != run.run_id or record.trial not in planned:
            raise RecordError(
                f"{place} belongs to another run or trial, or is not in the plan's order. "
                f"Expected: a trial of run {run.run_id} after the line before. "
                f"Received: {record.name} of run {record.run_id}. Get the file again"
            )
        yield StoredRecord(place=place, content=content, record=record)
