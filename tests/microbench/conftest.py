"""Forward and train step of each cell under pytest-benchmark; `nox -s microbench`."""

import importlib

import pytest

from backends import BACKENDS
from bench import mnist
from bench.adapter import Backend


def pytest_collection_modifyitems(config, items):
    """Leave these alone where no backend is named, as in the framework-free part."""
    if config.getoption("--backend") is None:
        for item in items:
            if "microbench" in item.nodeid:
                item.add_marker(pytest.mark.framework)


@pytest.fixture(scope="session")
def backend(request: pytest.FixtureRequest) -> Backend:
    name = request.config.getoption("--backend")
    return importlib.import_module(BACKENDS[name].adapter).open_backend(name)


@pytest.fixture(scope="session")
def data() -> mnist.Mnist:
    return mnist.load()
