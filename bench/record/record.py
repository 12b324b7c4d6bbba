"""The whole record: its parts, its hash, the reasons of its nulls, its file.

History of `SCHEMA_VERSION`:
1  first version; later fields have defaults, so that older records are still valid
"""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ValidationError, model_validator

from bench.errors import RecordError
from bench.files import write_atomically
from bench.record.measured import (
    AccuracyModel,
    ContentionModel,
    EnvironmentModel,
    GpuUseModel,
    LanesModel,
    MemoryModel,
    ParametersModel,
    ParityModel,
    SettingsModel,
    TimingsModel,
)
from bench.record.strict import (
    LARGEST_JSON_BYTES,
    Strict,
    first_problem,
    parse_strict_json,
    read_capped,
)
from bench.record.trial import TrialModel
from bench.spec import Cell, Status

SCHEMA_VERSION = 1


class Record(Strict):
    """One trial. Every null below has its reason in `null_reasons`, by path or by a parent's."""

    schema_version: Literal[1]
    run_id: str
    trial: TrialModel
    status: Status
    reason: str | None
    flags: list[str]
    parity: ParityModel | None
    parameters: ParametersModel | None
    settings: SettingsModel | None
    timings: TimingsModel
    lanes: LanesModel | None
    accuracy: AccuracyModel | None
    memory: MemoryModel
    gpu: GpuUseModel | None = None
    contention: ContentionModel | None
    environment: EnvironmentModel
    null_reasons: dict[str, str]
    sha256: str

    @property
    def cell(self) -> Cell:
        """Return the cell that the trial was of."""
        return self.trial.cell

    @property
    def name(self) -> str:
        """Return the trial's name, by which record and log are filed."""
        return self.trial.name

    @model_validator(mode="after")
    def _consistent(self) -> "Record":
        if (self.status == "ok") != (self.reason is None):
            raise ValueError(
                f"a reason goes with every status but ok. Received: {self.status}, {self.reason!r}"
            )
        unexplained = sorted(unexplained_nulls(dict(self), self.null_reasons))
        if unexplained:
            raise ValueError(f"null without a reason in null_reasons. Received: {unexplained}")
        return self


MEASURED = (
    "parity",
    "parameters",
    "settings",
    "timings",
    "lanes",
    "accuracy",
    "memory",
    "gpu",
    "contention",
)
# a requested None is a value; only a failed rung has a `where`, and only a run with parity trials
# has a certificate
NULL_IS_A_VALUE = ("settings.", "parity.")
# parts that records of early versions do not have
CAME_LATER = (
    "lanes.canary",
    "lanes.power",
    "timings.waiting_seconds",
    "timings.run_up_seconds",
    "timings.recompile_seconds",
    "timings.power_seconds",
    "accuracy.evaluation",
    "contention.clock_jump_seconds",
    "gpu",
)


def unexplained_nulls(document: dict[str, Any], reasons: dict[str, str]) -> Iterator[str]:
    """Yield the paths of measured parts that are null without a reason for them or a parent.

    Parts are models or, before a record is sealed, dictionaries.
    """
    pending = [(name, document[name]) for name in MEASURED]
    while pending:
        path, value = pending.pop()
        if path in reasons or path.startswith(NULL_IS_A_VALUE):
            continue
        if value is None and path not in CAME_LATER:
            yield path
        elif isinstance(value, dict | BaseModel):
            pending += [(f"{path}.{key}", child) for key, child in dict(value).items()]


def digest(document: dict[str, Any]) -> str:
    """Return the SHA-256 over the document's canonical JSON, without its own `sha256`."""
    content = {key: value for key, value in document.items() if key != "sha256"}
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def seal(document: dict[str, Any]) -> Record:
    """Check a document that has all but its hash, and return the record of it.

    Raises `RecordError` if it is not a record.
    """
    try:
        unhashed = Record.model_validate({**document, "sha256": ""})
    except ValidationError as error:
        raise RecordError(f"not a record: {first_problem(error)}") from error
    return unhashed.model_copy(update={"sha256": digest(unhashed.model_dump())})


def as_line(document: dict[str, Any]) -> bytes:
    """Return a record's document as it is stored: one line of JSON without spaces."""
    return f"{json.dumps(document, allow_nan=False, separators=(',', ':'))}\n".encode()


def write_record(record: Record, path: Path) -> None:
    """Write the record into `path`; raises `WriteError`."""
    write_atomically(path, as_line(record.model_dump()))


def read_record(path: Path) -> Record:
    """Return the record in `path` after checks: strict JSON, schema 1, its hash.

    Raises `RecordError` with one line that says what is wrong and what to do.
    """
    return parse_record(read_capped(path, LARGEST_JSON_BYTES), path.name)


def parse_record(content: bytes, name: str) -> Record:
    """Return the record in `content` as `read_record` does; `name` names it in errors."""
    document = parse_strict_json(content, name)
    try:
        record = Record.model_validate(document)
    except ValidationError as error:
        raise RecordError(f"{name} is not a record: {first_problem(error)}") from error
    # hash the file's own content: later fields have defaults, which are not part of old hashes
    expected = digest(document)
    if record.sha256 != expected:
        raise RecordError(
            f"{name} was changed after it was written. Expected sha256: {expected}. "
            f"Received: {record.sha256}. Restore it, or delete it and run again with --resume"
        )
    return record
