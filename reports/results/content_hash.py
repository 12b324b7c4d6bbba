"""The hash of a run's content, by which it is cited."""

import hashlib
from collections.abc import Sequence

from bench.record import Record
from bench.record.run import RunModel, run_bytes

SHORT_HASH = 12


def content_hash(run: RunModel, records: Sequence[Record]) -> str:
    """Return the hash of the run and its records: no figure changes unless the hash changes."""
    hashes = {record.name: record.sha256 for record in records}
    names = [trial.name for trial in run.trials]
    lines = "".join(f"{hashes[name]}\n" for name in names if name in hashes)
    return hashlib.sha256(run_bytes(run) + lines.encode()).hexdigest()
