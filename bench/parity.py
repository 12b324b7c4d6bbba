"""The rungs that a cell climbs before it is timed, and their gates.

This version has those that need no arithmetic: the data, the parameters and the initial weights
are the same in every backend, exactly. `measured` counts what differs; every gate is 0.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest

import numpy as np

from bench import mnist
from bench.adapter import Array
from bench.errors import ParityError
from bench.spec import TRAIN_IMAGES, LayerSummary, Trial, Workload


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """`where` names the first thing that differs, with what was expected and received."""

    rung: str
    measured: float
    gate: float = 0.0
    where: str | None = None

    @property
    def passed(self) -> bool:
        return self.measured <= self.gate


def digests(trial: Trial, data: mnist.Mnist, initial: Mapping[str, Array]) -> dict[str, str]:
    """What every backend must have been given for this trial, as hashes by name."""
    order = mnist.batch_order(trial.seed, 0, TRAIN_IMAGES)
    return {
        "images and labels": mnist.data_digest(data),
        "batch order": mnist.digest_of({"order": order}),
        "initial parameters": mnist.digest_of(initial),
    }


def data_rung(expected: Mapping[str, str], received: Mapping[str, str]) -> Rung:
    """Hashes by name as `digests` gives them: the parent's against the worker's."""
    differing = [
        f"{name}: expected {digest[:12]}, received {received[name][:12]}"
        for name, digest in expected.items()
        if received[name] != digest
    ]
    return Rung(rung="data", measured=len(differing), where=next(iter(differing), None))


def parameters_rung(workload: Workload, layers: Sequence[LayerSummary]) -> Rung:
    """The model's layer table against the workload's: names, kinds, shapes, counts."""
    differing = [
        f"{(wanted or found).name}: expected {describe(wanted)}, received {describe(found)}"
        for wanted, found in zip_longest(workload.summary(), layers)
        if wanted != found
    ]
    return Rung(rung="parameters", measured=len(differing), where=next(iter(differing), None))


def describe(layer: LayerSummary | None) -> str:
    if layer is None:
        return "no layer"
    return f"{layer.kind} {layer.output_shape} with {layer.count} parameters"


def initial_rung(loaded: Mapping[str, Array], returned: Mapping[str, Array]) -> Rung:
    """The weights that were loaded come back unchanged: how many values differ, where first."""
    first: str | None = None
    total = 0
    for name in sorted(loaded.keys() | returned.keys()):
        count = differing_values(loaded.get(name), returned.get(name))
        total += count
        if count and first is None:
            first = f"{name}: {count} values differ"
    return Rung(rung="initial", measured=total, where=first)


def differing_values(wanted: Array | None, found: Array | None) -> int:
    """How many values differ; a missing tensor or another shape or dtype counts as all of them."""
    if wanted is None or found is None:
        return max(1, sum(array.size for array in (wanted, found) if array is not None))
    if wanted.shape != found.shape or wanted.dtype != found.dtype:
        return max(1, wanted.size)
    return int(np.count_nonzero(wanted != found))


def require_changed(what: str, before: Mapping[str, Array], after: Mapping[str, Array]) -> None:
    """Raise `ParityError` where training left every weight as it was."""
    if initial_rung(before, after).passed:
        raise ParityError(f"{what} changed no weight. Expected: an update. Received: the same")
