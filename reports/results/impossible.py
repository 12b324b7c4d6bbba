"""Reject records whose values are each valid, but from which no figure can be computed."""

from collections.abc import Iterator
from contextlib import contextmanager

from bench.errors import RecordError


@contextmanager
def reject_impossible(what: object) -> Iterator[None]:
    """Raise `RecordError`, on one line, if arithmetic fails inside the context.

    `what`: the run, as the message names it.
    """
    try:
        yield
    except (ArithmeticError, LookupError, ValueError) as error:
        raise RecordError(
            f"cannot make figures of {what}. Expected: values as a run measures them. Received: "
            f"{type(error).__name__}: {error}. If they were not changed, please report this"
        ) from error
