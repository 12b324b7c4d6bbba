"""Strict JSON and strict models, with which every file of ours is read."""

import json
from pathlib import Path
from typing import Annotated, Any, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bench.errors import RecordError
from bench.files import open_plain

LARGEST_FILE_BYTES = 16 * 2**20
# in memory, JSON may take 30 times this size
LARGEST_JSON_BYTES = 4 * 2**20
# digits: more than any integer of 64 bits needs
LONGEST_INTEGER = 20
LONGEST_PLACE = 100

Scalar: TypeAlias = str | int | float | bool | None
Seconds: TypeAlias = Annotated[float, Field(ge=0)]
Samples: TypeAlias = Annotated[list[Annotated[float, Field(gt=0)]], Field(min_length=1)]
Count: TypeAlias = Annotated[int, Field(ge=1)]
Fraction: TypeAlias = Annotated[float, Field(ge=0, le=1)]
Loss: TypeAlias = Annotated[float, Field(ge=0)]
# part of a file's name: no separator, nothing that leads to another folder
Name: TypeAlias = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,99}$")]


class Strict(BaseModel):
    """Strict JSON: no unknown key, no coercion, no NaN and no infinity."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


def read_strict_json(path: Path) -> Any:
    """Return any JSON file of ours: limited size, no NaN, no duplicate keys, no half characters.

    Raises `RecordError` for any other file, also if it is missing.
    """
    return parse_strict_json(read_capped(path, LARGEST_JSON_BYTES), path.name)


def read_capped(path: Path, largest: int = LARGEST_FILE_BYTES) -> bytes:
    """Return a plain file of at most `largest` bytes; raises `RecordError` for any other."""
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
    """Return the document in `content` as `read_strict_json` does; `name` names it in errors."""
    try:
        text = content.decode("utf-8")
        document = json.loads(
            text,
            parse_constant=_refuse_constant,
            parse_int=_whole_number,
            object_pairs_hook=_unique_keys,
        )
        # an escape may stand for half of a character, which no file and no terminal accepts
        if "\\ud" in text.lower():
            json.dumps(document, ensure_ascii=False).encode()
        return document
    except (ValueError, RecursionError) as error:
        raise RecordError(f"{name} is not strict JSON: {error}") from error


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"Expected: finite numbers. Received: {name}")


def _whole_number(digits: str) -> int:
    if len(digits) > LONGEST_INTEGER:
        raise ValueError(f"Expected: numbers of 64 bits. Received: one of {len(digits)} digits")
    return int(digits)


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    keys = dict(pairs)
    if len(keys) != len(pairs):
        raise ValueError("Expected: each key once. Received: a duplicate key")
    return keys


def first_problem(error: ValidationError) -> str:
    """Return the first of pydantic's complaints on one line."""
    problem = error.errors(include_url=False, include_context=False)[0]
    where = ".".join(map(str, problem["loc"]))[:LONGEST_PLACE] or "document"
    received = "" if isinstance(problem["input"], dict) else f". Received: {problem['input']!r:.60}"
    advice = ". Update samestep" if where == "schema_version" else ""
    return " ".join(f"{where}: {problem['msg']}{received}{advice}".split())
