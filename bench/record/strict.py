"""Strict JSON and strict models: what every file of ours is read with."""

import json
from pathlib import Path
from typing import Annotated, Any, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bench.errors import RecordError
from bench.files import open_plain

LARGEST_FILE_BYTES = 16 * 2**20
# in memory JSON may take 30 times as much
LARGEST_JSON_BYTES = 4 * 2**20

Scalar: TypeAlias = str | int | float | bool | None
Seconds: TypeAlias = Annotated[float, Field(ge=0)]
Samples: TypeAlias = Annotated[list[Annotated[float, Field(gt=0)]], Field(min_length=1)]
Count: TypeAlias = Annotated[int, Field(ge=1)]
Fraction: TypeAlias = Annotated[float, Field(ge=0, le=1)]
Loss: TypeAlias = Annotated[float, Field(ge=0)]
# parts of a file's name: no separator, nothing that leads elsewhere
Name: TypeAlias = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,99}$")]


class Strict(BaseModel):
    """Strict JSON: no unknown key, no coercion, no NaN and no infinity."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


def read_strict_json(path: Path) -> Any:
    """Any JSON file of ours: capped in size, no NaN, no duplicate keys.

    Raises `RecordError` for anything else, a missing file included.
    """
    return parse_strict_json(read_capped(path, LARGEST_JSON_BYTES), path.name)


def read_capped(path: Path, largest: int = LARGEST_FILE_BYTES) -> bytes:
    """A plain file of at most so many bytes; raises `RecordError` for any other."""
    try:
        with open_plain(path) as file:
            content = file.read(largest + 1)
    except OSError as error:
        raise RecordError(f"cannot read {path}: {error.strerror or error}") from error
    if len(content) > largest:
        raise RecordError(
            f"{path.name} is too large. Expected: at most {largest} bytes. Received: more"
        )
    return content


def parse_strict_json(content: bytes, name: str) -> Any:
    """`read_strict_json` of what was read already; `name` says in an error what it was."""
    try:
        return json.loads(
            content.decode("utf-8"),
            parse_constant=_refuse_constant,
            object_pairs_hook=_unique_keys,
        )
    except (ValueError, RecursionError) as error:
        raise RecordError(f"{name} is not strict JSON: {error}") from error


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"Expected: finite numbers. Received: {name}")


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    keys = dict(pairs)
    if len(keys) != len(pairs):
        raise ValueError("Expected: each key once. Received: a duplicate key")
    return keys


def first_problem(error: ValidationError) -> str:
    """The first of pydantic's complaints on one line."""
    problem = error.errors(include_url=False, include_context=False)[0]
    where = ".".join(map(str, problem["loc"])) or "document"
    received = "" if isinstance(problem["input"], dict) else f". Received: {problem['input']!r:.60}"
    advice = ". Update samestep" if where == "schema_version" else ""
    return " ".join(f"{where}: {problem['msg']}{received}{advice}".split())
