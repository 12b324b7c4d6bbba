"""Write files so that a reader sees the old content or the new content, never a part."""

import contextlib
import errno
import os
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from bench.errors import WriteError

TEMPORARY = ".unfinished-"


def open_plain(path: Path) -> IO[bytes]:
    """Open a file of an untrusted folder for reading: never through a link, never a pipe.

    Raises `OSError` if it is not a plain file.
    """
    if path.is_symlink():
        raise OSError(errno.ELOOP, "it is a link, which may lead anywhere")
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "not a plain file")
    return os.fdopen(descriptor, "rb")


def write_atomically(path: Path, content: bytes) -> None:
    """Replace `path` by `content`: a temporary file in the same folder, fsync, rename.

    Raises `WriteError` with the path and the reason; `path` is then unchanged.
    """
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with _temporary_beside(path) as (file, temporary):
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
            # mkstemp makes it private; a record may be read by all who may read the folder
            os.chmod(temporary, 0o644)
            os.replace(temporary, path)
    _sync_folder(path.parent)


@contextlib.contextmanager
def writing(what: object) -> Iterator[None]:
    """Turn an `OSError` of the block into a `WriteError` that names `what` could not be written."""
    try:
        yield
    except OSError as error:
        raise WriteError(f"cannot write {what}: {error.strerror or error}") from error


def remove_unfinished(folder: Path) -> None:
    """Remove the temporary files of a process that was killed while it wrote in this folder.

    No other process may be writing in the folder. Raises `WriteError`.
    """
    for path in folder.glob(f"{TEMPORARY}*"):
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise WriteError(f"cannot remove {path}: {error.strerror or error}") from error


@contextlib.contextmanager
def _temporary_beside(path: Path) -> Iterator[tuple[IO[bytes], str]]:
    """Yield a new open file in the same folder and its name; removed at the end unless renamed."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f"{TEMPORARY}{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file, name
    finally:
        Path(name).unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    # some file systems refuse to sync a folder; the file itself is already written
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
