"""A cache of the four decompressed files, for a quick load and for a framework that reads files.

It holds the IDX files themselves, in the layout that `torchvision.datasets.MNIST` reads. They are
our own derived files: one that does not verify is written anew from the packaged archive, and a
line on stderr says so. Any number of processes may do that at once, for each one renames a whole
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
    """`$SAMESTEP_CACHE`, or `samestep` in the user's cache, with a folder for this very data.

    Raises `WriteError` for a user who has no home folder either.
    """
    chosen = os.environ.get("SAMESTEP_CACHE")
    base = Path(chosen).absolute() if chosen else _user_cache() / "samestep"
    identity = hashlib.sha256("".join(source.array_sha256 for source in SOURCES).encode())
    return base / f"mnist-{identity.hexdigest()[:12]}"


def _user_cache() -> Path:
    chosen = Path(os.environ.get("XDG_CACHE_HOME", ""))
    # the XDG specification wants a relative path ignored
    if chosen.is_absolute():
        return chosen
    try:
        return Path.home() / ".cache"
    except RuntimeError as error:
        raise WriteError("there is no home folder to cache MNIST in") from error


def cached_content(source: Source) -> bytes:
    """The decompressed content, from the cache where it verifies; cached if that is possible."""
    try:
        path = cache_folder() / RAW / source.name
    except WriteError:
        return packaged_content(source)
    content, whole = _load(path, source)
    if not whole:
        _store_if_possible(path, content)
    return content


def raw_folder() -> Path:
    """A folder that holds `MNIST/raw/train-images-idx3-ubyte` and its three fellows, verified.

    torchvision loads a corrupted file without a word, so all four are checked at every call and
    rewritten where they do not verify. Raises `WriteError` where the cache can't be written.
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
    """From the archive inside the package; raises `DataError` for a damaged installation."""
    return read_archive(ARCHIVES / source.archive_name, source, "Install samestep again")


def _load(path: Path, source: Source) -> tuple[bytes, bool]:
    """The content, and whether the cache's file is the one it should be."""
    try:
        return read_idx(path, source, "Decoding the packaged archive instead"), True
    except DataError as error:
        # a file that is not there yet is no news; one that went bad is
        if os.path.lexists(path):
            logger.warning("%s", error)
        return packaged_content(source), False


def _store_if_possible(path: Path, content: bytes) -> None:
    try:
        write_atomically(path, content)
    except WriteError as error:
        logger.info("%s; going on without a cache", error)
