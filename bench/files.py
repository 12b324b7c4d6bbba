"""Writing files so that a reader sees the old content or the new one, never a part."""

import contextlib
import os
import tempfile
from pathlib import Path

from bench.errors import WriteError


def write_atomically(path: Path, content: bytes) -> None:
    """Replace `path` by `content`: a temporary file in the same folder, fsync, rename.

    Raises `WriteError` that says what could not be written and why; `path` is then as it was.
    """
    temporary: str | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        # mkstemp makes files private; a record is for whoever may read the folder
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
        _sync_folder(path.parent)
    except OSError as error:
        if temporary is not None:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
        raise WriteError(f"cannot write {path}: {error.strerror or error}") from error


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
