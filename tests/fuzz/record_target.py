"""A record of arbitrary bytes is refused with a `RecordError`, or has the right hash.

The fault matrix tries mutated records with it. If Google's fuzzer is installed (`pip install
atheris`; it has no wheels for every Python), `python -m tests.fuzz.record_target FOLDER` runs
until it is stopped, or for `-max_total_time=60`. FOLDER contains the first records, and the fuzzer
adds new inputs; `-max_len=60000` leaves room for them.
"""

import hashlib
import json
import sys

from bench.errors import RecordError
from bench.record import parse_record


def accepts(content: bytes) -> bool:
    """Return whether it is a record; raise `AssertionError` for a record with a wrong hash."""
    try:
        record = parse_record(content, "record.json")
    except RecordError as error:
        if "\n" in str(error):
            raise AssertionError(f"more than one line: {str(error)!r}") from error
        return False
    # without the code under test
    document = json.loads(content)
    sealed = document.pop("sha256")
    text = json.dumps(document, sort_keys=True, separators=(",", ":"))
    assert record.sha256 == sealed == hashlib.sha256(text.encode()).hexdigest(), "not sealed"
    return True


def fuzz() -> None:
    import atheris

    # modules that are already imported, so that the fuzzer sees which code an input reaches
    atheris.instrument_all()
    atheris.Setup(sys.argv, accepts)
    atheris.Fuzz()


if __name__ == "__main__":
    fuzz()
