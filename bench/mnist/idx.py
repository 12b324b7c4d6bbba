"""Read MNIST's four files, so that only the original content is accepted.

An IDX file is a big-endian header (a magic number, then one size per axis) and one unsigned byte
per value, the last axis running fastest. The originals are gzip archives of such files.
"""

import gzip
import hashlib
import io
import math
import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.errors import DataError
from bench.spec import Shape

ARCHIVES = Path(__file__).parent / "archives"

# IDX stores the type of its values in the magic number: 8 stands for unsigned bytes
UNSIGNED_BYTE = 0x08


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One of the four files. `array_sha256` is the hash of the values alone, without the header."""

    name: str
    shape: Shape
    archive_bytes: int
    archive_sha256: str
    array_sha256: str

    @property
    def archive_name(self) -> str:
        return f"{self.name}.gz"

    @property
    def header(self) -> bytes:
        """Return the header that the decompressed file must start with."""
        magic = UNSIGNED_BYTE << 8 | len(self.shape)
        return struct.pack(f">{1 + len(self.shape)}I", magic, *self.shape)

    @property
    def idx_bytes(self) -> int:
        """Return the size of the decompressed file in bytes."""
        return len(self.header) + math.prod(self.shape)


TRAIN_IMAGES = Source(
    name="train-images-idx3-ubyte",
    shape=(60_000, 28, 28),
    archive_bytes=9_912_422,
    archive_sha256="440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
    array_sha256="741c988805d008ac6e4c904b69001ba184c24b2c540a4ef403f4c71b676cf757",
)
TRAIN_LABELS = Source(
    name="train-labels-idx1-ubyte",
    shape=(60_000,),
    archive_bytes=28_881,
    archive_sha256="3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
    array_sha256="1feba77c54802fa5339a11837ea4b2866434b83314ec45192930f1df69120c13",
)
TEST_IMAGES = Source(
    name="t10k-images-idx3-ubyte",
    shape=(10_000, 28, 28),
    archive_bytes=1_648_877,
    archive_sha256="8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
    array_sha256="6d87418db22cc8025d05968bec9bd5c3932904b23485740db143a061a2c9d161",
)
TEST_LABELS = Source(
    name="t10k-labels-idx1-ubyte",
    shape=(10_000,),
    archive_bytes=4_542,
    archive_sha256="f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
    array_sha256="ddeff807876a9661a1110d45c266c86239a3a1b7d37da0c3716a7a683c852ff5",
)
SOURCES = (TRAIN_IMAGES, TRAIN_LABELS, TEST_IMAGES, TEST_LABELS)


def read_archive(path: Path, source: Source, advice: str) -> bytes:
    """Return the decompressed content of a gzip archive; both are verified.

    The archive's own hash is checked first, so that unknown content is never decompressed. Raises
    `DataError` that ends in `advice`.
    """
    archive = read_capped(path, source.archive_bytes, source.archive_sha256, advice)
    received = hashlib.sha256(archive).hexdigest()
    if received != source.archive_sha256:
        raise mismatch(path, source.archive_sha256, f"{received} ({len(archive)} bytes)", advice)
    with gzip.GzipFile(fileobj=io.BytesIO(archive)) as file:
        content = file.read(source.idx_bytes + 1)
    return verify(content, path, source, advice)


def read_idx(path: Path, source: Source, advice: str) -> bytes:
    """Return the verified content of a decompressed IDX file.

    Raises `DataError` that ends in `advice`.
    """
    content = read_capped(path, source.idx_bytes, source.array_sha256, advice)
    return verify(content, path, source, advice)


def values(content: bytes, source: Source) -> NDArray[np.uint8]:
    """Return the array in verified IDX content, read-only and without a copy."""
    flat = np.frombuffer(content, dtype=np.uint8, offset=len(source.header))
    return flat.reshape(source.shape)


def verify(content: bytes, path: Path, source: Source, advice: str) -> bytes:
    """Return `content` if its header and the hash of its values are those of `source`.

    Raises `DataError` that ends in `advice` if they are not.
    """
    start = len(source.header)
    received = hashlib.sha256(memoryview(content)[start:]).hexdigest()
    if content[:start] != source.header:
        received += f" after the header {content[:start].hex() or '(none)'}"
        expected = f"{source.array_sha256} after {source.header.hex()}"
        raise mismatch(path, expected, received, advice)
    if received != source.array_sha256:
        received += f" ({len(content)} bytes with the header)"
        raise mismatch(path, f"{source.array_sha256} of the values", received, advice)
    return content


def read_capped(path: Path, limit: int, expected: str, advice: str) -> bytes:
    """Return all of a regular file of at most `limit` bytes; raises `DataError` for any other."""
    try:
        if not path.is_file():
            raise mismatch(path, expected, "no such file", advice)
        with path.open("rb") as file:
            content = file.read(limit + 1)
    except OSError as error:
        raise mismatch(path, expected, f"{error.strerror or error}", advice) from error
    if len(content) > limit:
        raise mismatch(path, expected, f"a file of more than {limit} bytes", advice)
    return content


def mismatch(path: Path, expected: str, received: str, advice: str) -> DataError:
    """Build the error for a file that is not the original; `expected` is a SHA-256."""
    return DataError(
        f"{path} is not the MNIST file of that name. Expected: sha256 {expected}. "
        f"Received: {received}. {advice}"
    )
