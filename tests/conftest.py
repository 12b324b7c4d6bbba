"""Options that the sessions of noxfile.py pass, and what tests inside an environment share."""

import importlib

import pytest

from backends import BACKENDS
from bench import mnist
from bench.adapter import Backend

IN_AN_ENVIRONMENT = ("tests/conformance/", "tests/microbench/")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--backend", help="the backend whose environment this is")
    parser.addoption(
        "--python", action="append", default=[], metavar="BACKEND=PATH",
        help="interpreter of a backend's environment, as `samestep run` takes it",
    )  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.nodeid.startswith(IN_AN_ENVIRONMENT):
            item.add_marker(pytest.mark.framework)


@pytest.fixture(scope="session")
def backend(request: pytest.FixtureRequest) -> Backend:
    """The backend of `--backend`; that it can't be had is an error, never a skip."""
    name = request.config.getoption("--backend")
    assert name in BACKENDS, f"--backend: expected one of {', '.join(BACKENDS)}, received {name}"
    return importlib.import_module(BACKENDS[name].adapter).open_backend(name)


@pytest.fixture(scope="session")
def data() -> mnist.Mnist:
    return mnist.load()
