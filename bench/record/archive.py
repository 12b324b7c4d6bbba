"""Store the records of a published run in one file: gzip, with one JSON record per line."""

import gzip
import io
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from bench.errors import RecordError
from bench.files import open_plain, write_atomically

ARCHIVE = "records.jsonl.gz"
# a record's file has the same limit; the records of the largest plan take a tenth of the second
LARGEST_LINE_BYTES = 4 * 2**20
LARGEST_ARCHIVE_BYTES = 2**30


def write_archive(path: Path, lines: Iterable[bytes]) -> None:
    """Write `lines`, which end in newlines. The same lines give the same bytes.

    Raises `WriteError`.
    """
    content = io.BytesIO()
    # without the time and the name that gzip would otherwise put into its header
    with gzip.GzipFile(filename="", mode="wb", fileobj=content, mtime=0) as file:
        file.writelines(lines)
    write_atomically(path, content.getvalue())


def read_lines(path: Path) -> Iterator[bytes]:
    """Yield the lines. Raises `RecordError` for an archive that is damaged or far too large."""
    total = 0
    try:
        with open_plain(path) as packed, gzip.GzipFile(fileobj=packed) as file:
            # the stated size may be false: no more than the limit is unpacked
            while line := file.readline(LARGEST_LINE_BYTES + 1):
                total += len(line)
                require_size("a line", len(line), LARGEST_LINE_BYTES)
                require_size("all lines", total, LARGEST_ARCHIVE_BYTES)
                yield line
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or error
        raise RecordError(f"cannot read {path}: {reason}. Get the file again") from error


def require_size(what: str, size: int, largest: int) -> None:
    """Raise `RecordError` if `size` is over `largest` bytes."""
    if size > largest:
        raise RecordError(
            f"{ARCHIVE} is too large. Expected: at most {largest} bytes in {what}. "
            f"Received: {size} or more"
        )
