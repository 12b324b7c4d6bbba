"""Folders for a while, which the next run removes where this one was killed before it could.

Whoever uses one holds the kernel's lock on it (`flock`), which ends with the process.
"""

import fcntl
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bench.files import writing
from bench.run.signals import uninterrupted

PREFIX = "samestep-"


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """An empty folder of this process, gone afterwards. Raises `WriteError`."""
    with ExitStack() as stack:
        with uninterrupted(), writing("a folder for temporary files (TMPDIR)"):
            folder, descriptor = _make()
            stack.callback(_remove, folder, descriptor)
        yield folder


def _remove(folder: Path, descriptor: int) -> None:
    with uninterrupted():
        shutil.rmtree(folder, ignore_errors=True)
        os.close(descriptor)


def _make() -> tuple[Path, int]:
    while True:
        folder = Path(tempfile.mkdtemp(prefix=PREFIX))
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        # swept before it was locked, by a run that starts at the same moment
        if folder.is_dir():
            return folder, descriptor
        os.close(descriptor)


def sweep() -> None:
    """Remove this user's scratch folders that no process holds any more."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        if _ours(folder) and (descriptor := _taken(folder)) is not None:
            shutil.rmtree(folder, ignore_errors=True)
            os.close(descriptor)


def _ours(folder: Path) -> bool:
    """A folder itself, not a link to one, that this user made."""
    try:
        found = folder.lstat()
    except FileNotFoundError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid()


def _taken(folder: Path) -> int | None:
    """A descriptor that holds the folder's lock; None where another does."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor
