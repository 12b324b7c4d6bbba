"""Memory that ran out, told apart from other failures: by type and text, no framework imported."""

from bench.errors import SamestepError

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
