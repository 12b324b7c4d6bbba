"""Options that several commands share, and their values: names, devices, interpreters, folders."""

import os
import shutil
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from backends import DEFAULT_BACKENDS, all_backends
from bench.errors import UsageError, suggestion
from bench.spec import MODES, OPTIMIZER_MATH, PRECISIONS, TRAIN_IMAGES, Mode, Precision, require
from bench.workloads import select_workloads

if TYPE_CHECKING:
    from bench.profiles import Profile
    from bench.run.request import Request

Known = TypeVar("Known", bound=str)

EXIT_INTERRUPTED = 130
# names under which users look for a backend: only suggested, because each might mean another
ALIASES = {
    "torch": "pytorch",
    **dict.fromkeys(("tf", "tensorflow", "keras"), "keras-tensorflow"),
}
# float64 is for parity alone
MEASURED_PRECISIONS: tuple[Precision, ...] = tuple(name for name in PRECISIONS if name != "float64")
# float64 certifies the math, the others what is measured
CERTIFIED_PRECISIONS: tuple[Precision, ...] = ("float64", *MEASURED_PRECISIONS)

# metavars: of options that take several names or numbers, and of flags, which take no value
NAMES, NUMBERS, FLAG = "NAME,NAME", "N,N", ""
AsJson = Annotated[
    bool, typer.Option("--json", help="Answer in JSON on standard output.", metavar=FLAG)
]
RunFolder = Annotated[Path, typer.Argument(help="The run's folder.", metavar="RUN")]
Workloads = Annotated[
    list[str] | None,
    typer.Option("--workload", help="Workloads. Default: all.", metavar=NAMES),
]
Backends = Annotated[
    list[str] | None,
    typer.Option(
        "--backend",
        help=f"Backends, or 'all'. Default: {', '.join(DEFAULT_BACKENDS)}.",
        metavar=NAMES,
    ),
]
Devices = Annotated[
    list[str] | None,
    typer.Option(
        "--device",
        help="cpu, cuda, cuda:N or cuda:GPU-UUID (its beginning is enough). "
        "Default: the CPU and, if there is one, the first NVIDIA GPU.",
        metavar=NAMES,
    ),
]
Modes = Annotated[
    list[str] | None,
    typer.Option(
        "--mode",
        help=f"{', '.join(MODES)}, or 'all', which leaves out the modes that a backend lacks. "
        "Default: default.",
        metavar=NAMES,
    ),
]
Precisions = Annotated[
    list[str] | None,
    typer.Option(
        "--precision",
        help=f"{', '.join(MEASURED_PRECISIONS)}. Default: float32.",
        metavar=NAMES,
    ),
]
CertifiedPrecisions = Annotated[
    list[str] | None,
    typer.Option(
        "--precision",
        help=f"{', '.join(CERTIFIED_PRECISIONS)}. Default: float64,float32.",
        metavar=NAMES,
    ),
]
Optimizers = Annotated[
    list[str] | None,
    typer.Option(
        "--optimizer",
        help="matched (Keras' equations everywhere) or stock (PyTorch's own: other math). "
        "Default: matched.",
        metavar=NAMES,
    ),
]
BatchSizes = Annotated[
    list[str] | None,
    typer.Option("--batch-size", help="Batch sizes. Default: the workload's own.", metavar=NUMBERS),
]
Interpreters = Annotated[
    list[str] | None,
    typer.Option("--python", help="The Python of a backend's environment.", metavar="BACKEND=PATH"),
]
Out = Annotated[
    Path | None,
    typer.Option("--out", help="The run's new folder. Default: runs/...", metavar="FOLDER"),
]


def make_request(
    workload: Sequence[str] | None,
    backend: Sequence[str] | None,
    device: Sequence[str] | None,
    mode: Sequence[str] | None,
    optimizer: Sequence[str] | None,
    python: Sequence[str] | None,
    *,
    profile: "Profile",
) -> "Request":
    """Return a request for the cells that these options select, in float32.

    Raises `UsageError` if an option has a value that is unknown or not on this machine.
    """
    from bench.run.request import Request

    return Request(
        workloads=select_workloads(split(workload)),
        backends=select_backends(split(backend)),
        devices=select_devices(split(device)),
        profile=profile,
        modes=select_modes(split(mode)),
        optimizers=select("optimizer", split(optimizer), OPTIMIZER_MATH),
        interpreters=select_interpreters(python or ()),
        places=all_backends(),
    )


def split(values: Sequence[str] | None) -> list[str]:
    """Return `["a", "b", "c"]` for `["a,b", "c"]`."""
    return [part for value in values or () for part in value.split(",") if part]


def select_backends(names: Sequence[str]) -> tuple[str, ...]:
    """Return the names, each once; the default backends if there are none."""
    known = all_backends()
    if "all" in names:
        return tuple(known)
    unknown = [name for name in names if name not in known]
    if unknown:
        raise UsageError(
            f"unknown backend. Expected: all, {', '.join(known)}. Received: {', '.join(unknown)}"
            f"{suggestion(unknown, known, ALIASES)}"
        )
    return tuple(dict.fromkeys(names)) or DEFAULT_BACKENDS


def select_devices(names: Sequence[str]) -> tuple[str, ...]:
    """Return the devices, each once; the CPU and the first GPU if there are no names.

    Raises `UsageError` if a device is not on this machine.
    """
    from bench.machine.devices import find_device, require_known_order
    from bench.machine.nvml import gpus, visible_gpus

    visible = visible_gpus()
    devices = [find_device(name, visible, os.environ) for name in names]
    devices = devices or ["cpu", *(gpu.device for gpu in visible[:1])]
    if set(devices) != {"cpu"}:
        require_known_order((gpu.name for gpu in gpus()), os.environ)
    return tuple(dict.fromkeys(devices))


def select_modes(names: Sequence[str]) -> tuple[Mode, ...]:
    """Return the modes, each once; every mode for `all`, the default mode if there are none."""
    return MODES if "all" in names else select("mode", names, MODES)


def select(option: str, names: Sequence[str], known: Sequence[Known]) -> tuple[Known, ...]:
    """Return the names, each once; the first known name if there are none."""
    for name in names:
        require(
            name in known, f"unknown {option}", expected=f"one of {', '.join(known)}", received=name
        )
    return tuple(known[known.index(name)] for name in dict.fromkeys(names)) or tuple(known[:1])


def select_batch_sizes(sizes: Sequence[str]) -> tuple[int, ...]:
    """Return the sizes as numbers, each once, in ascending order."""
    for size in sizes:
        require(
            size.isdecimal() and 0 < int(size) <= TRAIN_IMAGES,
            "batch size", expected=f"1 to {TRAIN_IMAGES}", received=size,
        )  # fmt: skip
    return tuple(sorted({int(size) for size in sizes}))


def select_interpreters(pairs: Iterable[str]) -> dict[str, str]:
    """Return each backend's interpreter from `BACKEND=PATH` pairs; by default it is this one."""
    known = all_backends()
    interpreters = dict.fromkeys(known, sys.executable)
    for pair in pairs:
        name, _, path = pair.partition("=")
        require(name in known, "--python BACKEND=PATH", expected=", ".join(known), received=pair)
        interpreters[name] = find_python(name, path)
    return interpreters


def find_python(name: str, path: str) -> str:
    """Return the absolute path of a backend's interpreter; raises `UsageError` if it has none."""
    # as a text: Path would drop the ./ that keeps `which` from searching PATH
    program = shutil.which(str(Path(path).expanduser()) if path.startswith("~") else path)
    if program is None:
        raise UsageError(f"no interpreter for {name}. Expected: a Python. Received: {path!r}")
    # absolute, but not resolved: an environment's python finds its packages by its link's path
    return str(Path(program).absolute())


def new_folder(name: str) -> Path:
    """Return the folder of a run without `--out`: the time in UTC and the name, under `runs`."""
    return Path("runs") / f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{name}"
