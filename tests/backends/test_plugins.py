"""Backends of other packages are found, listed, or refused with a reason; ours always work."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from backends import BACKENDS, Place, all_backends, plugins
from bench.cli import doctor_environments, options

ROOT = Path(__file__).resolve().parent.parent.parent
EXAMPLE = ROOT / "examples" / "flax-nnx"
PLACE = Place(adapter="theirs.adapter", environment="theirs", variables={"THEIRS": "1"})


@dataclass
class Point:
    """An entry point of an installed distribution."""

    name: str = "theirs"
    load: Callable[[], Any] = lambda: PLACE
    value: str = "theirs:PLACE"
    distribution: str | None = "samestep-theirs"

    @property
    def dist(self) -> SimpleNamespace | None:
        return self.distribution and SimpleNamespace(name=self.distribution)


def raise_at_load(error: BaseException) -> Callable[[], Any]:
    def load() -> Any:
        raise error

    return load


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Return a function that installs entry points, and nothing else, in the group of samestep."""

    def replace_points(*points: Point) -> None:
        everything = {"samestep.backends": points}
        monkeypatch.setattr(metadata, "entry_points", lambda group: everything[group])
        all_backends.cache_clear()

    yield replace_points
    all_backends.cache_clear()


def test_our_backends_are_listed_without_plugins(install):
    install()
    assert all_backends() == BACKENDS


def test_a_plugin_is_listed_beside_ours_with_its_package(install, capsys):
    install(Point())
    *ours, theirs = all_backends().items()
    assert dict(ours) == BACKENDS
    name, place = theirs
    assert (name, place.adapter, place.variables) == ("theirs", PLACE.adapter, PLACE.variables)
    assert place.distribution == "samestep-theirs"
    assert {place.distribution for place in BACKENDS.values()} == {"samestep"}
    assert capsys.readouterr().err == ""


def test_a_plugin_can_be_selected(install):
    install(Point())
    assert options.select_backends(["theirs"]) == ("theirs",)
    assert options.select_backends(["all"]) == (*BACKENDS, "theirs")
    assert "theirs" not in options.select_backends([])
    interpreters = options.select_interpreters([f"theirs={sys.executable}"])
    assert interpreters["theirs"] == sys.executable


BROKEN = [
    (Point(name="pytorch"), "Expected: a name of its own", "a backend of samestep. Rename"),
    (Point(name="all"), "and not 'all'", "Received: 'all'. Rename its entry point"),
    (Point(name="a/b"), "lower-case words and numbers joined by hyphens", "Received: 'a/b'"),
    (Point(name="Flax"), "lower-case words", "Received: 'Flax'"),
    (Point(name=""), "lower-case words", "Received: ''"),
    (Point(load=lambda: "theirs.adapter"), "theirs:PLACE is no place", "Received: str. Mend it"),
    (Point(load=lambda: Place), "Expected: a backends.Place", "Received: type"),
    (Point(load=raise_at_load(ModuleNotFoundError("No module named 'torch'"))),
     "in a module that imports no framework",
     "Received: ModuleNotFoundError: No module named 'torch'"),
    (Point(load=raise_at_load(ValueError("one\ntwo"))), "does not load",
     "Received: ValueError: one. M"),
    (Point(load=raise_at_load(SystemExit(3))), "does not load", "Received: SystemExit: 3"),
]  # fmt: skip


@pytest.mark.parametrize(("point", "expected", "received"), BROKEN)
def test_a_broken_plugin_is_left_out_with_a_line(install, capsys, point, expected, received):
    install(point, Point(name="good"))
    assert [*all_backends()] == [*BACKENDS, "good"]
    all_backends()
    warning = capsys.readouterr().err
    assert warning.startswith(
        f"samestep: the backend {point.name!r} of samestep-theirs is left out: "
    )
    assert warning.endswith(", or uninstall samestep-theirs\n")
    assert warning.count("\n") == 1
    assert expected in warning
    assert received in warning


def test_the_first_of_two_plugins_with_one_name_is_taken(install, capsys):
    install(Point(distribution="one"), Point(distribution="other"))
    assert all_backends()["theirs"].distribution == "one"
    warning = capsys.readouterr().err
    assert "the backend 'theirs' of other is left out: its name is taken" in warning
    assert "Received: the name of a backend of one" in warning


def test_an_entry_point_without_a_distribution_is_reported(install):
    install(Point(distribution=None))
    assert all_backends()["theirs"].distribution == "an unknown distribution"


def test_list_names_the_package_of_each_backend(install, samestep):
    install(Point())
    _, out, _ = samestep("list", "--json")
    rows = {row["name"]: row for row in json.loads(out)["backends"]}
    assert rows["theirs"] == {
        "name": "theirs", "environment": "theirs", "default": False, "from": "samestep-theirs",
    }  # fmt: skip
    assert rows["pytorch"]["from"] == "samestep"
    _, out, _ = samestep("list")
    assert "samestep-theirs" in out


def test_the_doctor_says_what_makes_the_environment_of_a_plugin(install):
    install(Point())
    theirs, ours = (
        doctor_environments.advice_to_install(SimpleNamespace(backend=name, environment=name))
        for name in ("theirs", "pytorch")
    )
    assert theirs == (
        "Install samestep-theirs with its dependencies into an environment of its own: "
        "--python theirs=PATH names it"
    )
    assert ours.startswith("nox -s pytorch makes its environment, --python pytorch=PATH")


def test_list_answers_despite_a_broken_plugin(install, samestep):
    install(Point(load=raise_at_load(ImportError("no"))))
    code, out, err = samestep("list", "--json")
    assert code == 0
    assert {row["name"] for row in json.loads(out)["backends"]} == BACKENDS.keys()
    assert err.count("\n") == 1


def test_a_broken_plugin_that_is_selected_is_an_unknown_name(install, samestep, tmp_path):
    install(Point(load=raise_at_load(ImportError("no"))))
    code, _, err = samestep("run", "--backend", "theirs", "--out", str(tmp_path / "run"))
    assert code == 2
    warning, refused = err.splitlines()
    assert "the backend 'theirs' of samestep-theirs is left out" in warning
    assert "unknown backend" in refused


def test_a_worker_does_not_look_for_plugins():
    program = "import sys, backends; print(*sys.modules)"
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
    assert not {"importlib.metadata", plugins.__name__} & set(done.stdout.split())


def test_the_example_gives_its_place_without_its_framework():
    program = f"""
import sys
sys.path.insert(0, {str(EXAMPLE)!r})
from samestep_flax import PLACE
print(PLACE.adapter, *sys.modules)
"""
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
    adapter, *loaded = done.stdout.split()
    assert (EXAMPLE / f"{adapter.replace('.', '/')}.py").is_file()
    assert not {"flax", "jax", "optax", "numpy"} & set(loaded)


def test_the_example_is_short():
    lines = {path.name: path.read_text().count("\n") for path in EXAMPLE.rglob("*.py")}
    assert lines["adapter.py"] < 150
    assert max(lines.values()) < 150
