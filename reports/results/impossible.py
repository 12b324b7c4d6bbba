"""Report values that are valid one by one but allow no figure."""

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
            f"{type(error).__name__}: {error}. If they were not changed, please report this"
        ) from error
