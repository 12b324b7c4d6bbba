"""What there is to collect for the backend in question."""

from pathlib import Path

import pytest

from tests.conformance.planted import FAMILIES


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """No planted bugs for a plug-in: they are written for our own adapters."""
    backend = config.getoption("--backend")
    mine = backend is None or backend in FAMILIES
    return None if mine or collection_path.name != "test_planted_bugs.py" else True
