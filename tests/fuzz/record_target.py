"""A record made of arbitrary bytes: refused with a `RecordError`, or what it says is sealed.

The fault matrix tries mutated records with it. Where Google's fuzzer is installed (`pip install
atheris`; it has no wheels for every Python), `python -m tests.fuzz.record_target FOLDER` goes on
for as long as it is let, or `-max_total_time=60`. FOLDER holds records to begin with, and takes
what is found; `-max_len=60000` leaves room for them.
"""

import hashlib
import json
import sys

from bench.errors import RecordError
from bench.record import parse_record


def accepted(content: bytes) -> bool:
    """Whether it is taken for a record; raises `AssertionError` for one without its own hash."""
    try:
        record = parse_record(content, "record.json")
    except RecordError as error:
        if "\n" in str(error):
            raise AssertionError(f"more than one line: {str(error)!r}") from error
        return False
    # apart from the code that is tried
    document = json.loads(content)
    sealed = document.pop("sha256")
    text = json.dumps(document, sort_keys=True, separators=(",", ":"))
    assert record.sha256 == sealed == hashlib.sha256(text.encode()).hexdigest(), "not sealed"
    return True


def fuzz() -> None:
    import atheris

    # what was imported before it came, so that it sees which input leads where
    atheris.instrument_all()
    atheris.Setup(sys.argv, accepted)
    atheris.Fuzz()


if __name__ == "__main__":
    fuzz()
