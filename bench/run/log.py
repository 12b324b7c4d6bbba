"""A worker's log: opened empty, and kept from filling the disk."""

import os
from contextlib import suppress
from pathlib import Path
from typing import IO

from bench.files import writing

# the beginning of a log and its end
KEPT_LOG_BYTES = 2**20
LARGEST_LOG_BYTES = 8 * 2**20


def log_path(folder: Path, name: str) -> Path:
    """Return the log of a worker of this name, in the folder of its run."""
    return folder / "logs" / f"{name}.log"


def open_log(log: Path) -> IO[bytes]:
    """Return the log, empty and open for a worker's output. Raises `WriteError`."""
    with writing(log):
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_bytes(b"")
        # append mode: `truncate_log` may shorten the file while the worker writes
        return log.open("ab")


def truncate_log(log: Path) -> None:
    """Truncate an oversized log to its first 1 MiB; later output is appended."""
    with suppress(OSError):
        size = log.stat().st_size
        if size > LARGEST_LOG_BYTES:
            os.truncate(log, KEPT_LOG_BYTES)
            with log.open("ab") as file:
                file.write(f"\n[samestep left out {size - KEPT_LOG_BYTES} bytes]\n".encode())
