"""A run's folder and its `run.json`: the plan, what was found of backends, and what it took."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, TypeAlias

from pydantic import Field, ValidationError

from bench.archive import ARCHIVE, read_lines
from bench.calibration import CalibrationModel
from bench.doctor import PreflightModel
from bench.errors import RecordError
from bench.files import write_atomically
from bench.plan import PilotFigures
from bench.record import (
    LARGEST_JSON_BYTES,
    EnvironmentModel,
    Record,
    Strict,
    TrialModel,
    first_problem,
    parse_record,
    read_capped,
    read_strict_json,
)


class BackendModel(Strict):
    """What the pilot found; `unavailable` is the reason where it could not be used.

    `architectures` are those it has kernels for; None where it does not tell.
    """

    versions: dict[str, str]
    devices: list[str]
    unavailable: str | None
    architectures: list[str] | None = None


class PilotModel(Strict):
    """What the pilot measured for a cell before the plan was made; the ground of the estimate."""

    cell: str
    setup_seconds: float
    step_seconds: float
    steps_per_block: int
    native_step_seconds: float
    steps_per_call: int = 1
    compile_seconds: float = 0.0

    def figures(self) -> PilotFigures:
        return PilotFigures(**self.model_dump(exclude={"cell"}))


SessionOutcome: TypeAlias = Literal["complete", "interrupted", "killed"]


class SessionModel(Strict):
    """One sitting: a run that is resumed has several.

    `worker_seconds` are those in which a worker ran, `parent_cpu_seconds` the CPU time that the
    harness itself took meanwhile, `preflight` what the machine was like before; runs of early
    versions have none of these. One that was killed took at least these seconds: they were noted
    after its last trial.
    """

    started: str
    wall_seconds: float
    outcome: SessionOutcome
    worker_seconds: float | None = None
    parent_cpu_seconds: float | None = None
    preflight: PreflightModel | None = None


class RunModel(Strict):
    """The plan and its sittings. A run of parity alone has no pilot figures and no estimate.

    Repeats of disturbed trials, at most `most_repeats`, and rounds, up to `most_rounds`, join
    `trials` while the run goes on; so do rounds in which a cell was not steady, while it has fewer
    than its verdicts need, `steady_rounds`.
    """

    schema_version: Literal[1]
    run_id: str
    samestep: str
    created: str
    profile: str
    most_repeats: int = 0
    most_rounds: int = 0
    steady_rounds: int = 0
    order_seed: int
    environment: EnvironmentModel
    backends: dict[str, BackendModel]
    pilot: list[PilotModel]
    pilot_seconds: float
    calibration: list[CalibrationModel] = Field(default_factory=list)
    estimate_seconds: float | None
    trials: list[TrialModel]
    sessions: list[SessionModel]


RUN_FILE = "run.json"
RECORDS = "records"


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def run_bytes(run: RunModel) -> bytes:
    """`run.json` as it is written, and what of it is hashed.

    A field that came later, and that an old file does not have, has no part in it.
    """
    document = run.model_dump(exclude_unset=True)
    return f"{json.dumps(document, allow_nan=False, indent=1)}\n".encode()


def write_run(run: RunModel, folder: Path) -> None:
    write_atomically(folder / RUN_FILE, run_bytes(run))


def read_run(folder: Path) -> RunModel:
    """Raises `RecordError` where `folder` holds no run."""
    document = read_strict_json(folder / RUN_FILE)
    try:
        return RunModel.model_validate(document)
    except ValidationError as error:
        raise RecordError(f"{folder / RUN_FILE} is not a run: {first_problem(error)}") from error


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
    return folder / RECORDS / f"{trial.trial().name}.json"


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
                f"Received: {record.trial.trial().name} of run {record.run_id}. Get the file anew"
            )
        yield StoredRecord(place=place, content=content, record=record)
