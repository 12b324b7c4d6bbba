"""Hold a lock by name, so that there is one run at a time on a machine and on each of its GPUs.

A lock is the kernel's (`flock`, on a small file) and ends with the process that took it, however
that ends: it is never stale. The file stays behind; while the lock is held it names the holder.
"""

import errno
import fcntl
import getpass
import os
import stat
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from bench.errors import LockedError, WriteError

MACHINE = "machine"
# names another folder than these, for tests and for machines that have neither
VARIABLE = "SAMESTEP_LOCKS"
FOLDERS = (Path("/run/lock"), Path("/tmp"))
# a process that only looks holds a lock for a moment, and a holder needs a moment for its name
PATIENCE_SECONDS = 0.1
RETRY_SECONDS = 0.02
LONGEST_HOLDER_BYTES = 500
# never follow another user's link, never wait for the other end of another user's pipe
CAREFULLY = os.O_NOFOLLOW | os.O_NONBLOCK


@contextmanager
def hold(*names: str, purpose: str) -> Iterator[None]:
    """Hold the locks of these names; `purpose` is what others read about this process.

    Raises `LockedError` if another process holds one of them, `WriteError` if no lock can be made.
    """
    with ExitStack() as stack:
        for name in names:
            stack.enter_context(_held(name, purpose))
        yield


@contextmanager
def _held(name: str, purpose: str) -> Iterator[None]:
    path = lock_path(name)
    try:
        descriptor = _acquire(path, name)
    except OSError as error:
        raise WriteError(
            f"cannot lock {path}: {error.strerror or error}. Expected: a plain file that all users "
            f"may write. Remove it, or name another folder in {VARIABLE}"
        ) from error
    try:
        _note(descriptor, _ourselves(purpose))
        yield
    finally:
        _note(descriptor, "")
        # the lock goes with the descriptor
        os.close(descriptor)


def holder(name: str) -> str | None:
    """Return the holder of the lock; None if it is free, `unknown: ...` if it can't be read."""
    path = lock_path(name)
    try:
        descriptor = os.open(path, os.O_RDONLY | CAREFULLY)
    except FileNotFoundError:
        return None
    except OSError as error:
        return f"unknown: cannot read {path}: {error.strerror or error}"
    try:
        return None if _locked(descriptor, fcntl.LOCK_SH) else _read(descriptor)
    finally:
        os.close(descriptor)


def lock_path(name: str) -> Path:
    """Return the file of a lock."""
    return lock_folder() / f"samestep-{name}.lock"


def lock_folder() -> Path:
    """Return the first folder that every user may write: all must agree on it."""
    named = os.environ.get(VARIABLE)
    if named:
        return Path(named)
    return next(filter(_open_to_all, FOLDERS), FOLDERS[-1])


def _open_to_all(folder: Path) -> bool:
    try:
        allowed = folder.stat().st_mode & stat.S_IWOTH
    except OSError:
        return False
    # a folder of a file system that is read-only has the right mode as well
    return bool(allowed) and os.access(folder, os.W_OK)


def _acquire(path: Path, name: str) -> int:
    """Return a descriptor that holds the lock. Raises `LockedError` or `OSError`."""
    due = time.monotonic() + PATIENCE_SECONDS
    while True:
        descriptor = _open(path)
        if _locked(descriptor, fcntl.LOCK_EX) and _is_at(path, descriptor):
            return descriptor
        who = _read(descriptor)
        os.close(descriptor)
        if time.monotonic() >= due:
            what = "this machine" if name == MACHINE else name
            raise LockedError(
                f"another run holds {what}. Expected: one run at a time. Received: {who}. "
                "Wait until it has ended, or end it"
            )
        time.sleep(RETRY_SECONDS)


def _open(path: Path) -> int:
    """Open the file for reading and writing; for reading if another user's file allows no more.

    With O_CREAT the kernel refuses another user's file in a folder such as /tmp
    (fs.protected_regular). So only a missing file is created. Raises `OSError`.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | CAREFULLY)
    except FileNotFoundError:
        descriptor = _create(path)
    except PermissionError:
        descriptor = os.open(path, os.O_RDONLY | CAREFULLY)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "not a plain file")
    return descriptor


def _create(path: Path) -> int:
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | CAREFULLY, 0o666)
    except FileExistsError:
        # another run was quicker, or it is a link to nowhere, which is refused
        return os.open(path, os.O_RDWR | CAREFULLY)
    # other users' runs lock it too, whatever this user's umask
    os.fchmod(descriptor, 0o666)
    return descriptor


def _locked(descriptor: int, how: int) -> bool:
    try:
        fcntl.flock(descriptor, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_at(path: Path, descriptor: int) -> bool:
    """Return whether the locked file is still the one that others will open."""
    try:
        return os.path.samestat(path.lstat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _ourselves(purpose: str) -> str:
    try:
        user = getpass.getuser()
    # a user without a name, as in a container
    except (KeyError, OSError):
        user = f"user {os.getuid()}"
    since = datetime.now(UTC).isoformat(timespec="seconds")
    return f"{purpose}, pid {os.getpid()} of {user}, since {since}"


def _note(descriptor: int, text: str) -> None:
    """Write the holder's name into the file, if it can be written; the lock works without it."""
    # a hard link may have been made to trick this process into overwriting a valuable file
    if os.fstat(descriptor).st_nlink != 1:
        return
    with suppress(OSError):
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, text.encode(errors="replace")[:LONGEST_HOLDER_BYTES], 0)


def _read(descriptor: int) -> str:
    """Return what the holder wrote, as one printable line, for anyone may have written it."""
    text = os.pread(descriptor, LONGEST_HOLDER_BYTES, 0).decode(errors="replace")
    return "".join(c if c.isprintable() else " " for c in text).strip() or "unknown"
