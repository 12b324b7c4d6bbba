"""Options that the sessions of noxfile.py pass, and what tests inside an environment share."""

import gc
import importlib
import os
import sys
from collections.abc import Callable, Iterator

# a process for each core already: threads of NumPy beside them would wait for each other, for
# minutes; set before NumPy is loaded. Frameworks are tested in one process, with their own threads
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ["OPENBLAS_NUM_THREADS"] = "1"

import pytest

from backends import all_backends
from bench import mnist
from bench.adapter import Backend
from bench.machine.lock import VARIABLE

# a thousand tests leave few cycles behind; looking for them so often took a second
gc.set_threshold(200_000, 50, 50)

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
def _locks_of_its_own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No run on this machine refuses the tests, and they refuse none, nor each other."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, str(tmp_path_factory.mktemp("locks")))
        yield


@pytest.fixture(scope="session")
def backend(request: pytest.FixtureRequest) -> Backend:
    """The backend of `--backend`; that it can't be had is an error, never a skip."""
    name = request.config.getoption("--backend")
    known = all_backends()
    assert name in known, f"--backend: expected one of {', '.join(known)}, received {name}"
    return importlib.import_module(known[name].adapter).open_backend(name)


@pytest.fixture
def samestep(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """Runs the command in this process; its exit code, standard output and standard error."""
    # an environment of a framework has nothing that the command line needs
    from bench import cli

    # the tests' own runs are no news for a summary of CI
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["samestep", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        captured = capsys.readouterr()
        return ended.value.code or 0, captured.out, captured.err

    return run


@pytest.fixture(scope="session")
def data() -> mnist.Mnist:
    return mnist.load()
