"""What several commands take, and how it becomes values: names, devices, interpreters, folders."""

import os
import shutil
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from backends import DEFAULT_BACKENDS, all_backends
from bench.errors import UsageError
from bench.spec import MODES, PRECISIONS, TRAIN_IMAGES, require

EXIT_INTERRUPTED = 130

AsJson = Annotated[bool, typer.Option("--json", help="Answer in JSON on standard output.")]
RunFolder = Annotated[Path, typer.Argument(help="The run's folder.", metavar="RUN")]
Workloads = Annotated[
    list[str] | None,
    typer.Option("--workload", help="Workloads, comma-separated; all without it."),
]
Backends = Annotated[
    list[str] | None,
    typer.Option(
        "--backend", help=f"Backends, or 'all'; {', '.join(DEFAULT_BACKENDS)} without it."
    ),
]
Devices = Annotated[
    list[str] | None,
    typer.Option(
        "--device",
        help="cpu, cuda, cuda:N, cuda:GPU-UUID (its beginning will do); the CPU and the first GPU "
        "without it.",
    ),
]
Modes = Annotated[
    list[str] | None,
    typer.Option(
        "--mode",
        help=f"Of {', '.join(MODES)}, or 'all', with those that a backend lacks left out; "
        "default without it.",
    ),
]
# float64 is for parity alone
MEASURED_PRECISIONS = tuple(name for name in PRECISIONS if name != "float64")
Optimizers = Annotated[
    list[str] | None,
    typer.Option(
        "--optimizer",
        help="matched (Keras' equations everywhere; without it), or stock (PyTorch's own: other "
        "math), comma-separated.",
    ),
]
BatchSizes = Annotated[
    list[str] | None,
    typer.Option(
        "--batch-size", help="Batch sizes, comma-separated; each workload's own without it."
    ),
]
Interpreters = Annotated[
    list[str] | None,
    typer.Option("--python", help="The interpreter for a backend.", metavar="BACKEND=PATH"),
]
Out = Annotated[
    Path | None, typer.Option("--out", help="The run's new folder; runs/... without it.")
]


def split(values: Sequence[str] | None) -> list[str]:
    """`["a,b", "c"]` as `["a", "b", "c"]`."""
    return [part for value in values or () for part in value.split(",") if part]


def select_backends(names: Sequence[str]) -> tuple[str, ...]:
    known = all_backends()
    if "all" in names:
        return tuple(known)
    unknown = [name for name in names if name not in known]
    if unknown:
        raise UsageError(
            f"unknown backend. Expected: all, {', '.join(known)}. Received: {', '.join(unknown)}"
        )
    return tuple(dict.fromkeys(names)) or DEFAULT_BACKENDS


def select_devices(names: Sequence[str]) -> tuple[str, ...]:
    """The devices asked for, or the CPU and the first GPU; each must be on this machine."""
    from bench.machine.devices import find_device, require_known_order
    from bench.machine.nvml import gpus, visible_gpus

    seen = visible_gpus()
    wanted = [find_device(name, seen, os.environ) for name in names]
    wanted = wanted or ["cpu", *(gpu.device for gpu in seen[:1])]
    if set(wanted) != {"cpu"}:
        require_known_order((gpu.name for gpu in gpus()), os.environ)
    return tuple(dict.fromkeys(wanted))


def select_modes(names: Sequence[str]) -> tuple[str, ...]:
    return MODES if "all" in names else select("mode", names, MODES)


def select(what: str, names: Sequence[str], known: Sequence[str]) -> tuple[str, ...]:
    """The names, each once; the first of those known where there are none."""
    for name in names:
        require(
            name in known, f"unknown {what}", expected=f"one of {', '.join(known)}", received=name
        )
    return tuple(dict.fromkeys(names)) or tuple(known[:1])


def select_batch_sizes(sizes: Sequence[str]) -> tuple[int, ...]:
    for size in sizes:
        require(
            size.isdecimal() and 0 < int(size) <= TRAIN_IMAGES,
            "batch size", expected=f"1 to {TRAIN_IMAGES}", received=size,
        )  # fmt: skip
    return tuple(sorted({int(size) for size in sizes}))


def select_interpreters(pairs: Iterable[str]) -> dict[str, str]:
    """`BACKEND=PATH` pairs; this interpreter for every backend that is not named."""
    known = all_backends()
    interpreters = dict.fromkeys(known, sys.executable)
    for pair in pairs:
        name, _, path = pair.partition("=")
        require(name in known, "--python BACKEND=PATH", expected=", ".join(known), received=pair)
        # as a text: Path would drop the ./ that keeps `which` from searching PATH
        found = shutil.which(str(Path(path).expanduser()) if path.startswith("~") else path)
        if found is None:
            raise UsageError(f"no interpreter for {name}. Expected: a Python. Received: {path!r}")
        # absolute, but not resolved: an environment's python is a link, and knows itself by it
        interpreters[name] = str(Path(found).absolute())
    return interpreters


def new_folder(name: str) -> Path:
    """Where a run goes that was given no place."""
    return Path("runs") / f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{name}"
