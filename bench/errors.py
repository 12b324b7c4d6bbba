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
