"""Report values that are valid one by one, and of which no figure can be made."""

from collections.abc import Iterator
from contextlib import contextmanager

from bench.errors import RecordError


@contextmanager
def figures_made_of(what: object) -> Iterator[None]:
    """Raise `RecordError`, on one line, for arithmetic that fails inside the context."""
    try:
        yield
    except (ArithmeticError, LookupError, ValueError) as error:
        raise RecordError(
            f"cannot make figures of {what}. Expected: values as a run measures them. Received: "
            f"{type(error).__name__}: {error}. Where nobody changed them, please report this"
        ) from error
