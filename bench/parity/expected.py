"""Cache the oracle's long computations: a few hundred steps in NumPy take seconds.

There is one small file per computation in the user's cache. Its name is a hash over all that
decides its numbers: the source of the oracle, the probe and the draws, the workload, and NumPy's
version. A damaged file is computed again. Without a writable folder everything is computed again.
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
    """Return the loss of each step of a training; `name` identifies its seed and steps."""

    def train() -> list[float]:
        training = oracle.Oracle(workload, parameters, math)
        return [training.step(*batch).loss for batch in batches()]

    return recall(f"losses {name} {math}", workload, train)


def clear_steps(
    name: str,
    workload: Workload,
    parameters: Parameters,
    batches: Callable[[], Iterable[Batch]],
    math: str,
    nearest: float,
) -> int:
    """Count the steps of a training until one comes nearer to a kink than `nearest`, inclusive."""

    def train() -> list[float]:
        training = oracle.Oracle(workload, parameters, math)
        for images, labels in batches():
            near = oracle.margins(workload, training.parameters, images).min() <= nearest
            training.step(images, labels)
            if near:
                break
        return [training.steps]

    (count,) = recall(f"clear {nearest} {name} {math}", workload, train)
    return int(count)


def recall(name: str, workload: Workload, compute: Callable[[], list[float]]) -> list[float]:
    """Return the values that `compute` gives, from the cache if they are there and intact."""
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
    """Return a hash over all that decides the numbers."""
    package = Path(bench.__file__).parent
    parts = [(package / source).read_bytes() for source in SOURCES]
    parts += [np.__version__.encode(), repr(replace(workload, published=())).encode()]
    return hashlib.sha256(b"\0".join([*parts, name.encode()])).hexdigest()


def digest(values: object) -> str:
    return hashlib.sha256(json.dumps(values).encode()).hexdigest()
