"""The project's sessions. `nox -l` lists them; arguments after `--` go to the command."""

import os
import re
import shutil
import sys
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import nox
from nox.command import CommandFailed

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parent / "examples" / "flax-nnx"))

import samestep_flax

from backends import BACKENDS

nox.needs_version = ">=2025.2.9"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.reuse_venv = "yes"
nox.options.sessions = ["lint", "tests"]

PYPROJECT = nox.project.load_toml("pyproject.toml")
# GB to download and GB on disk. The disk of the first two was measured on Linux x86-64 with Python
# 3.11; the downloads and all of tensorflow-cuda are rough guesses, never measured
SIZES = {
    "pytorch": (3.0, 5.5),
    "tensorflow": (0.4, 1.6),
    "tensorflow-cuda": (3.0, 6.0),
    "jax": (0.2, 0.7),
    "jax-cuda": (3.0, 6.0),
}
FRAMEWORKS = ["pytorch", "tensorflow", "jax"]
PLUGIN = "examples/flax-nnx"
PLACES = {**BACKENDS, "flax-nnx": samestep_flax.PLACE}
# folders of tests that need a framework or a browser
APART = ["browser", "conformance", "microbench", "end_to_end"]
# imports take 3 to 7 times as long without bytecode
BYTECODE: dict[str, str | None] = {"UV_COMPILE_BYTECODE": "1", "PYTHONDONTWRITEBYTECODE": None}


@nox.session
def pytorch(session: nox.Session) -> None:
    """Make the environment of PyTorch, with torchvision."""
    framework(session, "pytorch", extra="pytorch")


@nox.session
def tensorflow(session: nox.Session) -> None:
    """Make the environment of Keras on TensorFlow; with CUDA if an NVIDIA driver is found."""
    framework(session, "tensorflow", extra=for_this_machine("tensorflow"))


@nox.session
def jax(session: nox.Session) -> None:
    """Make the environment of JAX, plain and under Keras; with CUDA if a driver is found."""
    framework(session, "jax", extra=for_this_machine("jax"))


@nox.session
def flax(session: nox.Session) -> None:
    """Make the environment of the plug-in in examples/, by its own pyproject.toml."""
    # editable, because uv does not build a folder again that it has built once
    session.install(
        "--constraint", "constraints/plugin.txt", "--editable", PLUGIN, "pytest", env=BYTECODE
    )
    write_note(session, "flax", Path(session.bin, "python"))


@nox.session(requires=FRAMEWORKS)
def bench(session: nox.Session) -> None:
    """Run the benchmark; arguments after `--` go to `samestep run`."""
    parent(session)
    session.run("samestep", "run", *interpreters(session), *session.posargs, env=BYTECODE)


@nox.session
def doctor(session: nox.Session) -> None:
    """Judge the machine and the environments that were made; make no environment."""
    parent(session)
    arguments = ["doctor", "--environments", *interpreters(session), *session.posargs]
    session.run("samestep", *arguments, env=BYTECODE)


@nox.session(requires=FRAMEWORKS)
def parity(session: nox.Session) -> None:
    """Check that every backend computes the same; `-- --with "torch==X"` takes other versions."""
    parent(session)
    arguments = without_versions(session.posargs)
    session.run("samestep", "parity", *interpreters(session), *arguments, env=BYTECODE)


@nox.session(requires=FRAMEWORKS)
def tests(session: nox.Session) -> None:
    """Run all tests: without frameworks first, then each backend in its environment."""
    parent(session, "tests")
    # pytest-benchmark would look at each test, and only microbench measures any
    parallel = ["-pno:benchmark", "--dist=worksteal"]
    apart = [f"--ignore=tests/{folder}" for folder in APART]
    # every core has a process already: threads of BLAS only wait for each other
    alone = {**BYTECODE, "OPENBLAS_NUM_THREADS": "1"}
    session.run("pytest", *apart, *parallel, "-n=auto", *session.posargs, env=alone)
    for backend in BACKENDS:
        # most of it is compiling, which takes one core
        conformance = ["tests/conformance", f"--backend={backend}", *parallel, "-n=2"]
        in_environment(session, backend, "pytest", *conformance)
    smoke = ["tests/end_to_end", "-m", "framework", *interpreters(session)]
    session.run("pytest", *smoke, env=BYTECODE)
    for follows in ("flax", "plugin"):
        session.notify(follows, posargs=())


@nox.session(requires=["flax"])
def plugin(session: nox.Session) -> None:
    """Test the plug-in in examples/: conformance in its environment, `samestep parity` in ours."""
    in_environment(session, "flax-nnx", "pytest", "tests/conformance", "--backend=flax-nnx")
    parent(session)
    session.install("--no-deps", "--editable", PLUGIN)
    session.run("samestep", "list")
    python = interpreter(session, "flax-nnx")
    with TemporaryDirectory() as folder:
        session.run(
            "samestep", "parity", "--backend=flax-nnx", "--workload=mlp-512-256", "--device=cpu",
            f"--python=flax-nnx={python}", f"--out={folder}/parity",
            # as in the other tests: no run on this machine refuses them
            env={**BYTECODE, "SAMESTEP_LOCKS": folder},
        )  # fmt: skip


@nox.session(requires=FRAMEWORKS)
def microbench(session: nox.Session) -> None:
    """Time forward and train step of each cell with pytest-benchmark, in each environment."""
    for backend in BACKENDS:
        in_environment(
            session, backend, "pytest", "tests/microbench", f"--backend={backend}",
            "--benchmark-only", *session.posargs,
        )  # fmt: skip


@nox.session(requires=FRAMEWORKS)
def overhead(session: nox.Session) -> None:
    """Time the step lane against a bare loop over the same step, in each environment."""
    for backend in BACKENDS:
        in_environment(session, backend, "tests.microbench.overhead", backend, *session.posargs)


@nox.session(requires=FRAMEWORKS)
def selftest(session: nox.Session) -> None:
    """Measure the measuring: `-- aa --backend jax`, `-- effect`, `-- contention`; minutes each."""
    parent(session)
    arguments = [*session.posargs, *interpreters(session)]
    session.run("python", "-m", "tests.selftest", *arguments, env=BYTECODE)


@nox.session(requires=FRAMEWORKS)
def soak(session: nox.Session) -> None:
    """Run the standard profile for an hour with random kills; `-- --minutes 5` for less."""
    parent(session, "tests")
    with TemporaryDirectory() as folder:
        arguments = [f"--folder={folder}/soak", *interpreters(session), *session.posargs]
        session.run("python", "-m", "tests.faults.soak", *arguments, env=BYTECODE)


@nox.session
def faults(session: nox.Session) -> None:
    """Try the fault matrix: kills, interruptions, damaged files; some minutes, no framework."""
    parent(session, "tests")
    session.run("python", "-m", "tests.faults", *session.posargs, env=BYTECODE)


@nox.session
def site(session: nox.Session) -> None:
    """Write the static site of the published reports, beside them."""
    parent(session)
    session.run("python", "-m", "reports.site", "reports/published", env=BYTECODE)


@nox.session
def browser(session: nox.Session) -> None:
    """Try the static site in a headless Chromium: chromium and chromedriver must be on PATH."""
    parent(session, "tests", "browser")
    session.run("pytest", "tests/browser", "-pno:benchmark", *session.posargs, env=BYTECODE)


@nox.session
def lint(session: nox.Session) -> None:
    """Check style with ruff and types with mypy."""
    parent(session, "lint")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("mypy")


@nox.session
def audit(session: nox.Session) -> None:
    """Look up all pins among known vulnerabilities; fail if these can't be reached."""
    session.install("pip-audit>=2.7")
    for pins in sorted(Path("constraints").glob("*.txt")):
        # the pins alone; a package that the database does not know is a failure too
        session.run(
            "pip-audit", "--strict", "--progress-spinner=off", "--no-deps", "--disable-pip",
            f"--requirement={pins}",
        )  # fmt: skip


@nox.session(requires=FRAMEWORKS)
def licences(session: nox.Session) -> None:
    """Compare the licences of all installed packages with those that we may use."""
    parent(session, "tests", "lint", "browser")
    session.run("python", "scripts/licences.py")
    for backend in {place.environment: backend for backend, place in BACKENDS.items()}.values():
        session.run(interpreter(session, backend), "scripts/licences.py", external=True)


def for_this_machine(extra: str) -> str:
    """Return the extra, with CUDA if an NVIDIA driver is found."""
    return extra if shutil.which("nvidia-smi") is None else f"{extra}-cuda"


def parent(session: nox.Session, *groups: str) -> None:
    """Install samestep and dependency groups; no framework."""
    wanted = nox.project.dependency_groups(PYPROJECT, *groups)
    session.install(
        "--constraint", "constraints/parent.txt", "--editable", ".", *wanted, env=BYTECODE
    )


def framework(session: nox.Session, name: str, *, extra: str) -> None:
    """Install a framework and note its interpreter; a failure leaves its backends unavailable."""
    if not interpreter_note(session, name).exists() and not enough_disk(session, extra):
        return
    wanted = [
        *PYPROJECT["project"]["optional-dependencies"][extra],
        # the conformance suite and the micro-benchmarks run inside the environment
        *("pytest", "pytest-benchmark", "pytest-xdist"),
    ]
    others = other_versions(session.posargs, wanted)
    try:
        if others:
            python = install_apart(session, name, [*wanted, *others])
        else:
            session.install("--constraint", f"constraints/{name}.txt", *wanted, env=BYTECODE)
            python = Path(session.bin, "python")
    except CommandFailed:
        session.warn(f"{name} could not be installed: its backends will be unavailable")
        # the worker that tries to import it will report that it fails
        python = Path(session.bin, "python")
    write_note(session, name, python)


def versions_wanted(arguments: list[str]) -> list[str]:
    """Return the requirements that follow `--with`, such as `torch==2.14.0` or `torch`."""
    return [wanted for option, wanted in pairwise(arguments) if option == "--with"]


def without_versions(arguments: list[str]) -> list[str]:
    """Return the arguments for samestep: all but those of `--with`."""
    following = pairwise(["", *arguments])
    return [word for before, word in following if "--with" not in (before, word)]


def other_versions(arguments: list[str], packages: list[str]) -> list[str]:
    """Return the requirements after `--with` that concern these packages."""
    names = {project(package) for package in packages}
    return [wanted for wanted in versions_wanted(arguments) if project(wanted) in names]


def project(requirement: str) -> str:
    """Return the project of a requirement: `torch` of `torch==2.14.0`."""
    return re.split(r"[^A-Za-z0-9._-]", requirement, maxsplit=1)[0].lower().replace("_", "-")


def install_apart(session: nox.Session, name: str, packages: list[str]) -> Path:
    """Make a new environment beside the pinned one; return its interpreter."""
    folder = Path(session.cache_dir, "samestep", f"{name}-with").resolve()
    session.run("python", "-m", "venv", "--clear", str(folder))
    python = folder / "bin" / "python"
    session.run(str(python), "-m", "pip", "install", "--quiet", *packages, external=True)
    return python


def enough_disk(session: nox.Session, extra: str) -> bool:
    """Log what an installation needs; return whether the disk has room for it."""
    download, needed = SIZES[extra]
    free = shutil.disk_usage(Path.cwd()).free / 1e9
    session.log(
        f"{extra}: roughly {download:g} GB to download, {needed:g} GB on disk, {free:.0f} GB free"
    )
    if free < needed:
        session.warn(f"too little disk for {extra}: its backends will be unavailable")
    return free >= needed


def interpreter_note(session: nox.Session, name: str) -> Path:
    """Return the file that names an environment's interpreter."""
    return Path(session.cache_dir, "samestep", f"{name}-interpreter")


def write_note(session: nox.Session, name: str, python: Path) -> None:
    """Write the file that names an environment's interpreter."""
    note = interpreter_note(session, name)
    note.parent.mkdir(parents=True, exist_ok=True)
    note.write_text(str(python), encoding="utf-8")


def interpreter(session: nox.Session, backend: str) -> str:
    """Return the Python of a backend's environment; end the session if it could not be made."""
    note = interpreter_note(session, PLACES[backend].environment)
    if not note.exists():
        session.error(f"{backend} has no environment; see the warnings above")
    return note.read_text(encoding="utf-8")


def interpreters(session: nox.Session) -> list[str]:
    """Return `--python BACKEND=PATH` for every environment that was made."""
    return [
        f"--python={backend}={interpreter(session, backend)}"
        for backend, place in BACKENDS.items()
        if interpreter_note(session, place.environment).exists()
    ]


def in_environment(session: nox.Session, backend: str, module: str, *arguments: str) -> None:
    """Run a module with a backend's interpreter and its variables, from the repository."""
    variables = {**BYTECODE, **PLACES[backend].variables, "PYTHONPATH": os.curdir}
    python = interpreter(session, backend)
    session.run(python, "-m", module, *arguments, env=variables, external=True)
