"""Collect the tests that exist for the selected backend, and share what they compile."""

import os
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.conformance.planted import FAMILIES

# many tests build the same model, and compiling was two thirds of their time
COMPILE_CACHE = {
    "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0.2",
    "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
}


def pytest_configure(config: pytest.Config) -> None:
    """Give the processes of this session one compile cache of JAX, before it is imported."""
    if "JAX_COMPILATION_CACHE_DIR" in os.environ:
        return
    folder = TemporaryDirectory()
    config.add_cleanup(folder.cleanup)
    os.environ.update(COMPILE_CACHE, JAX_COMPILATION_CACHE_DIR=folder.name)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Ignore the planted bugs for a plug-in: they are bugs in our own adapters."""
    backend = config.getoption("--backend")
    is_ours = backend is None or backend in FAMILIES
    return None if is_ours or collection_path.name != "test_planted_bugs.py" else True
