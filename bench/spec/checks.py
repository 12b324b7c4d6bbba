"""Checks for the constructors of specifications: one wording, and what counts as a number."""

import math

from bench.errors import UsageError


def require(condition: bool, what: str, *, expected: object, received: object) -> None:
    """Raise `UsageError` in the project's wording unless `condition` holds."""
    if not condition:
        raise UsageError(f"{what}. Expected: {expected}. Received: {received!r}")


def is_count(value: object) -> bool:
    """Return whether `value` is an integer of at least 1 (and not a bool)."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def is_real(value: object) -> bool:
    """Return whether `value` is a finite number (and not a bool)."""
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return number and math.isfinite(value)  # type: ignore[arg-type]
