"""The records of a published run in one file: gzip, and in it one JSON record a line."""

import gzip
import io
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from bench.errors import RecordError
from bench.files import open_plain, write_atomically

ARCHIVE = "records.jsonl.gz"
# a record's file may be as large; of all records the largest plan leaves a tenth of this
LARGEST_LINE_BYTES = 4 * 2**20
LARGEST_ARCHIVE_BYTES = 2**30


def write_archive(path: Path, lines: Iterable[bytes]) -> None:
    """`lines` end in a newline each. The same lines give the same bytes."""
    content = io.BytesIO()
    # neither a time nor a name, which gzip would otherwise put into its header
    with gzip.GzipFile(filename="", mode="wb", fileobj=content, mtime=0) as file:
        file.writelines(lines)
    write_atomically(path, content.getvalue())


def read_lines(path: Path) -> Iterator[bytes]:
    """Line by line. Raises `RecordError` for an archive that is damaged or absurdly large."""
    total = 0
    try:
        with open_plain(path) as packed, gzip.GzipFile(fileobj=packed) as file:
            # the size may be a lie: no more is unpacked than may be
            while line := file.readline(LARGEST_LINE_BYTES + 1):
                total += len(line)
                require_size("a line", len(line), LARGEST_LINE_BYTES)
                require_size("all lines", total, LARGEST_ARCHIVE_BYTES)
                yield line
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or error
        raise RecordError(f"cannot read {path}: {reason}. Get the file anew") from error


def require_size(what: str, size: int, largest: int) -> None:
    if size > largest:
        raise RecordError(
            f"{ARCHIVE} is too large. Expected: at most {largest} bytes in {what}. "
            f"Received: {size} or more"
        )
