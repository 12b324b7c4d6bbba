"""Options that the sessions of noxfile.py pass."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--backend", help="the backend whose environment this is")
    parser.addoption(
        "--python", action="append", default=[], metavar="BACKEND=PATH",
        help="interpreter of a backend's environment, as `samestep run` takes it",
    )  # fmt: skip
