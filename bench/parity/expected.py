"""The oracle's long answers, remembered: a few hundred steps in NumPy take seconds.

One small file each in the user's cache, found by a hash over all that decides its numbers: the
oracle's own source, that of the draws, the workload, NumPy's version. A file that was damaged is
computed again; without a folder to write to, so is everything.
"""

import hashlib
import json
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np

import bench
from bench import mnist
from bench.adapter import Batch, Parameters
from bench.errors import WriteError
from bench.files import write_atomically
from bench.parity import oracle
from bench.spec import Workload

SOURCES = ("parity/oracle.py", "parity/probe.py", "mnist/draws.py")


def losses(
    name: str,
    workload: Workload,
    parameters: Parameters,
    batches: Callable[[], Iterable[Batch]],
    math: str,
) -> list[float]:
    """The loss of each step of a training; `name` says which: the seed and the steps."""

    def train() -> list[float]:
        training = oracle.Oracle(workload, parameters, math)
        return [training.step(*batch).loss for batch in batches()]

    return remembered(f"losses {name} {math}", workload, train)


def clear_steps(
    name: str,
    workload: Workload,
    parameters: Parameters,
    batches: Callable[[], Iterable[Batch]],
    math: str,
    nearest: float,
) -> int:
    """Steps of a training until one comes nearer to a kink than `nearest`, that one included."""

    def train() -> list[float]:
        training = oracle.Oracle(workload, parameters, math)
        for images, labels in batches():
            near = oracle.margins(workload, training.parameters, images).min() <= nearest
            training.step(images, labels)
            if near:
                break
        return [training.steps]

    (count,) = remembered(f"clear {nearest} {name} {math}", workload, train)
    return int(count)


def remembered(name: str, workload: Workload, compute: Callable[[], list[float]]) -> list[float]:
    """What `compute` gives, from the cache where it is there and whole."""
    try:
        path = mnist.cache_folder() / "oracle" / f"{key(name, workload)}.json"
    except WriteError:
        return compute()
    with suppress(OSError, ValueError, KeyError, TypeError):
        document = json.loads(path.read_text(encoding="utf-8"))
        if document["sha256"] == digest(document["values"]):
            return list(document["values"])
    values = compute()
    with suppress(WriteError):
        text = json.dumps({"values": values, "sha256": digest(values)}, allow_nan=False)
        write_atomically(path, text.encode())
    return values


def key(name: str, workload: Workload) -> str:
    """A hash over all that decides the numbers."""
    package = Path(bench.__file__).parent
    parts = [(package / source).read_bytes() for source in SOURCES]
    parts += [np.__version__.encode(), repr(replace(workload, published=())).encode()]
    return hashlib.sha256(b"\0".join([*parts, name.encode()])).hexdigest()


def digest(values: object) -> str:
    return hashlib.sha256(json.dumps(values).encode()).hexdigest()
