"""The errors that samestep raises on purpose: one root, and one class per exit code or subject.

A message says what failed, what was expected, what was received and what to do next, on one line.
"""

import difflib
from collections.abc import Iterable, Mapping


class SamestepError(Exception):
    """A request that could not be carried out."""

    exit_code = 1


class UsageError(SamestepError):
    """The request itself is wrong: an unknown name, an invalid workload."""

    exit_code = 2


class DataError(SamestepError):
    """MNIST is missing or damaged, or the files are not the original ones."""


class RecordError(SamestepError):
    """A record or a run's folder is not acceptable."""


class WriteError(SamestepError):
    """A file could not be written; its previous content is unchanged."""

    exit_code = 74


class LockedError(SamestepError):
    """Another run holds the machine or a GPU; two runs at once would disturb each other's times."""

    exit_code = 75


class ParityError(SamestepError):
    """A cell does not compute what its workload says."""


class MeasurementError(SamestepError):
    """A backend can't be timed: its times are not those of its work."""


class TrainingError(SamestepError):
    """A training gave a result that no working model gives, such as a loss that is not finite."""


# start of the reason in the record of a trial that ran out of memory
OUT_OF_MEMORY_PREFIX = "out of memory: "
# exception types of PyTorch and TensorFlow
TYPES = frozenset({"OutOfMemoryError", "ResourceExhaustedError"})
# JAX, CUDA's libraries, C++ and the system report it by text, in errors of other types
TEXTS = (
    *("resource_exhausted", "out of memory", "out_of_memory", "cublas_status_alloc_failed"),
    *("can't allocate memory", "cannot allocate memory", "std::bad_alloc"),
)


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether this is an error of Python, a framework or the system for memory that ran out.

    Errors of samestep itself don't count: a message about a library that does not load may quote
    such a text.
    """
    if isinstance(error, SamestepError):
        return False
    named = any(base.__name__ in TYPES for base in type(error).__mro__)
    text = str(error).lower()
    return isinstance(error, MemoryError) or named or any(part in text for part in TEXTS)


def says_out_of_memory(reason: str | None) -> bool:
    """Return whether a record's reason says that memory ran out."""
    return reason is not None and reason.startswith(OUT_OF_MEMORY_PREFIX)


def one_line(error: BaseException) -> str:
    """Return the error's type and the first line of its text; of our own errors the text alone."""
    text = next(iter(str(error).splitlines()), "")
    return text if isinstance(error, SamestepError) else f"{type(error).__name__}: {text}"


def suggestion(
    unknown: Iterable[str], known: Iterable[str], aliases: Mapping[str, str] | None = None
) -> str:
    """Return `. Did you mean pytorch?`; empty if no known name resembles an unknown one."""
    aliases = aliases or {}
    names = [*known, *aliases]
    alike = [difflib.get_close_matches(name.lower(), names, n=1) for name in unknown]
    meant = dict.fromkeys(aliases.get(name, name) for matches in alike for name in matches)
    return f". Did you mean {', '.join(meant)}?" if meant else ""
