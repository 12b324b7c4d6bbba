"""Imports point in one direction: the tests read the sources, and import modules in a process."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FRAMEWORKS = ("torch", "torchvision", "tensorflow", "keras", "jax")

# The rooms of `bench` and of `reports`, from the top floor down: a room may import those after it.
ROOMS = ("cli", "run", "worker", "machine", "parity", "record", "mnist", "stats")
SHELVES = (
    *("site", "compare", "publishing", "exports", "report"),
    *("sections", "drawing", "results", "text"),
)
# The ground floor lies under all rooms: each module with what it may import of the others.
GROUND = {
    "errors": set(),
    "files": {"errors"},
    "spec": {"errors"},
    "adapter": {"spec"},
    "workloads": {"errors", "spec"},
    "profiles": {"errors", "spec", "workloads"},
}
GROUND_FLOOR = {f"bench.{name}" for name in GROUND}
# The worker's environment has only the standard library, NumPy and its framework.
WORKER_ROOMS = {"bench.parity", "bench.mnist"}
# Only the commands use the parent, the places of the backends and the reports together.
COMMANDS = {"backends", "reports"}
# Reports need only what is stored and what follows from it, not what runs.
STORED = {"bench.record", "bench.mnist", "bench.stats", *GROUND_FLOOR} - {"bench.adapter"}


def rooms() -> dict[str, set[str]]:
    """Return which of our packages each package may import; a package stands for its modules."""
    below = {f"bench.{name}": {f"bench.{other}" for other in GROUND[name]} for name in GROUND}
    for place, room in enumerate(ROOMS):
        below[f"bench.{room}"] = {f"bench.{other}" for other in ROOMS[place + 1 :]} | GROUND_FLOOR
    below["bench.worker"] = WORKER_ROOMS | GROUND_FLOOR
    # a worker imports it, and so all that it imports
    below["bench.parity"] = {"bench.mnist"} | GROUND_FLOOR
    below["bench.cli"] |= COMMANDS
    below["bench.__main__"] = {"bench.cli"}
    for place, shelf in enumerate(SHELVES):
        below[f"reports.{shelf}"] = {f"reports.{other}" for other in SHELVES[place + 1 :]} | STORED
    return {package: {package, *others} for package, others in below.items()}


BACKEND = {"bench.adapter", "bench.spec"}
# the longest name that matches a module counts
ALLOWED: dict[str, set[str]] = {
    **rooms(),
    "bench": {"bench"},
    "reports": {"reports"},
    "backends": {"backends.plugins", "bench.spec"},
    "backends.plugins": {"backends", "bench.errors"},
    "backends.jax": {"backends.jax", *BACKEND},
    "backends.keras": {"backends.keras", *BACKEND},
    "backends.pytorch": {"backends.pytorch", *BACKEND},
    # an engine gets devices and versions from the module of the framework's own adapter
    "backends.keras.engines.jax": {"backends.keras", "backends.jax.machine", *BACKEND},
    "backends.keras.engines.torch": {"backends.keras", "backends.pytorch.machine", *BACKEND},
}
# packages that only their owners may import
OWNERS = {
    "torch": ("backends.pytorch", "backends.keras.engines.torch"),
    "torchvision": ("backends.pytorch",),
    "keras": ("backends.keras",),
    "tensorflow": ("backends.keras.engines.tensorflow",),
    "jax": ("backends.jax", "backends.keras.engines.jax"),
    "subprocess": ("bench.run.process",),
    "psutil": ("bench.machine.environment",),
    "pynvml": ("bench.machine.nvml",),
    "rich": ("bench.run.display", "bench.cli.table"),
    "typer": ("bench.cli",),
    "matplotlib": ("reports.drawing", "reports.compare.figure"),
    "jinja2": ("reports.site",),
    "markdown_it": ("reports.site",),
}


@cache
def modules() -> dict[str, Path]:
    """Return all our modules by name."""
    paths = [path for package in ("bench", "backends", "reports") for path in sources(package)]
    return {module_name(path): path for path in paths}


def sources(package: str) -> Iterator[Path]:
    yield from (ROOT / package).rglob("*.py")


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def imported_names(path: Path) -> set[str]:
    """Return the absolute names that a module imports, at any place in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {name.name for name in node.names}
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            names |= {resolve(node.module or "", name.name) for name in node.names}
    return names


def resolve(module: str, name: str) -> str:
    """Return `bench.spec` for `from bench import spec`, `bench` for `from bench import x`."""
    whole = f"{module}.{name}"
    return whole if whole in modules() else module


def lies_in(module: str, package: str) -> bool:
    return f"{module}.".startswith(f"{package}.")


def allowed_packages(module: str) -> set[str]:
    return ALLOWED[max((name for name in ALLOWED if lies_in(module, name)), key=len)]


@pytest.fixture(scope="module")
def imports() -> dict[str, set[str]]:
    return {name: imported_names(path) for name, path in modules().items()}


def test_imports_point_in_one_direction(imports):
    wrong = [
        f"{module} imports {name}"
        for module, names in imports.items()
        for name in sorted(names)
        if name.partition(".")[0] in ("bench", "backends", "reports")
        and not any(lies_in(name, package) for package in allowed_packages(module))
        # the package itself has only the version
        and not (name == "bench" and lies_in(module, "bench"))
    ]
    assert wrong == []


def test_a_package_with_owners_is_imported_by_no_other_module(imports):
    wrong = [
        f"{module} imports {name}"
        for module, names in imports.items()
        for name in sorted(names)
        for package, owners in OWNERS.items()
        if lies_in(name, package) and not any(lies_in(module, owner) for owner in owners)
    ]
    assert wrong == []


def test_no_figure_uses_the_global_state_of_pyplot(imports):
    names = {name for module in imports if module.startswith("reports") for name in imports[module]}
    assert "matplotlib.figure" in names
    assert "matplotlib.pyplot" not in names


def test_every_backend_has_the_same_files():
    folders = [path for path in (ROOT / "backends").iterdir() if (path / "adapter.py").exists()]
    assert len(folders) >= 2
    for folder in folders:
        names = {path.name for path in folder.glob("*.py")}
        assert {"__init__.py", "adapter.py", "data.py", "machine.py", "models.py"} <= names


def run_python(program: str) -> list[str]:
    """Run a program in a process; return the words that it prints."""
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_importing_all_of_bench_and_reports_loads_no_framework():
    names = [name for name in modules() if not name.startswith("backends.")]
    loaded = run_python(f"import sys, {', '.join(names)}; print(*sys.modules)")
    assert set(names) <= set(loaded)
    assert not set(FRAMEWORKS) & set(loaded)


def test_a_run_is_shown_without_loading_matplotlib():
    loaded = run_python(
        "import sys, bench.cli.show, reports.sections.headline; print(*sys.modules)"
    )
    assert "reports.results.standings" in loaded
    assert "matplotlib" not in loaded


def test_a_worker_needs_only_the_standard_library_and_numpy():
    loaded = run_python("""
import sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        known = (*sys.stdlib_module_names, "numpy", "bench")
        if name.partition(".")[0] not in known:
            raise ImportError(f"a worker's environment has no {name}")
sys.meta_path.insert(0, Refuse())
import bench.worker.entry
print(*sys.modules)
""")
    assert "bench.worker" in loaded
    assert "bench.mnist.arrays" in loaded
