"""Temporary folders, which the next run removes if this one was killed before it could.

The process that uses a folder holds the kernel's lock on it (`flock`), which ends with the process.
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
    """Make an empty folder of this process and remove it afterwards. Raises `WriteError`."""
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
        # a run that starts at the same moment may have swept it before it was locked
        if folder.is_dir():
            return folder, descriptor
        os.close(descriptor)


def sweep() -> None:
    """Remove this user's scratch folders that no process holds any more."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        if _is_ours(folder) and (descriptor := _lock(folder)) is not None:
            shutil.rmtree(folder, ignore_errors=True)
            os.close(descriptor)


def _is_ours(folder: Path) -> bool:
    """Return whether this is a folder, not a link to one, that this user made."""
    try:
        found = folder.lstat()
    except FileNotFoundError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid()


def _lock(folder: Path) -> int | None:
    """Return a descriptor that holds the folder's lock; None if another process holds it."""
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
