"""The real worker with a fake framework: it imports a module that a row writes."""

import sys
from pathlib import Path


def real_worker(folder: Path, name: str, framework: str, source: str) -> str:
    """Return an interpreter, made in this folder, which imports `source` as `framework`."""
    modules = folder / f"{name}-modules"
    modules.mkdir()
    (modules / f"{framework}.py").write_text(source, encoding="utf-8")
    return shell_script(
        folder / name, f'PYTHONPATH="{modules}:$PYTHONPATH" exec {sys.executable} "$@"'
    )


def shell_script(path: Path, body: str) -> str:
    path.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
    path.chmod(0o755)
    return str(path)
