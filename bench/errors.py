"""The errors that samestep raises on purpose: one root, a class for each exit of the command line.

A message says what failed, what was expected, what was received and what to do next, on one line.
"""


class SamestepError(Exception):
    """Something that was asked for did not happen."""

    exit_code = 1


class UsageError(SamestepError):
    """The request itself is wrong: an unknown name, a workload that makes no sense."""

    exit_code = 2


class DataError(SamestepError):
    """MNIST is missing, damaged, or not the MNIST that was asked for."""


class RecordError(SamestepError):
    """A record or a run's folder that can't be accepted."""


class WriteError(SamestepError):
    """A file could not be written; whatever stood there before still stands."""

    exit_code = 74


class LockedError(SamestepError):
    """Another run holds the machine or a GPU; two at once would time each other."""

    exit_code = 75


class ParityError(SamestepError):
    """A cell does not compute what its workload says."""


class MeasurementError(SamestepError):
    """A backend was timed that can't be: its times are not those of its work."""


class TrainingError(SamestepError):
    """Training produced what no working model produces, such as a loss that is not finite."""


# what the reason of such a record begins with
PREFIX = "out of memory: "
# PyTorch's and TensorFlow's
TYPES = frozenset({"OutOfMemoryError", "ResourceExhaustedError"})
# JAX and CUDA's libraries say it in errors of other types, as do C++ and the system
TEXTS = (
    *("resource_exhausted", "out of memory", "out_of_memory", "cublas_status_alloc_failed"),
    *("can't allocate memory", "cannot allocate memory", "std::bad_alloc"),
)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether this is what Python, a framework or the system raises when there is no more memory.

    Not where we say it ourselves: a library that does not load may quote such a text.
    """
    if isinstance(error, SamestepError):
        return False
    named = any(base.__name__ in TYPES for base in type(error).__mro__)
    text = str(error).lower()
    return isinstance(error, MemoryError) or named or any(part in text for part in TEXTS)


def says_out_of_memory(reason: str | None) -> bool:
    return reason is not None and reason.startswith(PREFIX)


def one_line(error: BaseException) -> str:
    """Return the error's type and the first line of its text; of our own errors the text alone."""
    text = next(iter(str(error).splitlines()), "")
    return text if isinstance(error, SamestepError) else f"{type(error).__name__}: {text}"
