"""Options that the sessions of noxfile.py pass, and fixtures that tests share."""

import gc
import importlib
import os
import signal
import sys
from collections.abc import Callable, Iterator

# xdist has one process per core: more threads of NumPy would wait for each other, for minutes. Set
# before NumPy is loaded. Tests of frameworks run in one process, with the framework's threads
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ["OPENBLAS_NUM_THREADS"] = "1"

import pytest

from backends import all_backends
from bench import mnist
from bench.adapter import Backend
from bench.machine.lock import VARIABLE

# a thousand tests leave few cycles; collecting them as often as by default took a second
gc.set_threshold(200_000, 50, 50)
# a shell ignores Ctrl-C in what it starts in the background; tests of interruptions need it
signal.signal(signal.SIGINT, signal.default_int_handler)

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


@pytest.fixture(scope="session", autouse=True)
def _own_locks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Give the tests their own locks, so that runs on this machine and tests do not interfere."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, str(tmp_path_factory.mktemp("locks")))
        yield


@pytest.fixture(scope="session")
def backend(request: pytest.FixtureRequest) -> Backend:
    """Return the backend of `--backend`; a missing backend is an error, never a skip."""
    name = request.config.getoption("--backend")
    known = all_backends()
    assert name in known, f"--backend: expected one of {', '.join(known)}, received {name}"
    return importlib.import_module(known[name].adapter).open_backend(name)


@pytest.fixture
def samestep(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """Return a function that runs the command here: exit code, standard output and error."""
    # not at the top: an environment of a framework lacks what the command line needs
    from bench import cli

    # runs of the tests do not belong in a summary of CI
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["samestep", *arguments])
        with pytest.raises(SystemExit) as exit_:
            cli.main()
        captured = capsys.readouterr()
        return exit_.value.code or 0, captured.out, captured.err

    return run


@pytest.fixture(scope="session")
def data() -> mnist.Mnist:
    return mnist.load()
