"""Collect the tests that exist for the selected backend."""

from pathlib import Path

import pytest

from tests.conformance.planted import FAMILIES


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Ignore the planted bugs for a plug-in: they are bugs in our own adapters."""
    backend = config.getoption("--backend")
    is_ours = backend is None or backend in FAMILIES
    return None if is_ours or collection_path.name != "test_planted_bugs.py" else True
