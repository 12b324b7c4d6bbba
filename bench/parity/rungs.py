"""One rung: what is compared, how the difference is measured, and what a failure says.

The exact rungs (data, parameters, initial) count what differs; their gate is 0. The others
measure a difference from the oracle; their gates stand in `bench.parity.gates`.
"""

import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest

import numpy as np

from bench import mnist
from bench.adapter import Array
from bench.errors import ParityError
from bench.parity.gates import FLOAT32_NOISE, gate
from bench.spec import TRAIN_IMAGES, LayerSummary, Workload

# what is not a number can't stand in a record; it is as far off as a number can be
LARGEST = sys.float_info.max


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """`where` names the first thing beyond the gate, or the one that came nearest to it."""

    rung: str
    measured: float
    gate: float = 0.0
    where: str | None = None

    @property
    def passed(self) -> bool:
        return self.measured <= self.gate


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One comparison with the oracle; `sides` has both sides at their worst place."""

    what: str
    measured: float
    sides: str


def rung_of(rung: str, precision: str, differences: Iterable[Difference], kind: str = "") -> Rung:
    """The rung that these comparisons make, in the order in which a program computes them.

    `kind` picks the gate where a rung has several: that of an optimizer.
    """
    limit = gate(precision, f"{rung} {kind}".strip())
    found = list(differences)
    beyond = next((one for one in found if not one.measured <= limit), None)
    shown = beyond or max(found, key=lambda one: one.measured)
    where = f"{shown.what} ({shown.sides})"
    if beyond is not None and precision == "float64" and is_float32(shown.measured):
        where += ": as far off as float32 is"
    return Rung(rung=rung, measured=shown.measured, gate=limit, where=where)


def is_float32(measured: float) -> bool:
    """Whether a float64 comparison differs as float32 would, computed in unasked."""
    least, most = FLOAT32_NOISE
    return least < measured < most


def to_largest(what: str, expected: Array, received: Array | None) -> Difference:
    """The largest difference as a share of the largest magnitude expected."""
    return compared(what, expected, received, float(np.abs(expected).max()))


def to_one(what: str, expected: float, received: float) -> Difference:
    """The difference itself, for values that are about 1."""
    return compared(what, np.array(expected), np.array(received), 1.0)


def to_update(what: str, before: Array, expected: Array, received: Array | None) -> Difference:
    """The norm of the difference as a share of the norm of the update, both after a step."""
    if received is None or received.shape != expected.shape:
        return compared(what, expected, received, 1.0)
    start = before.astype(np.float64)
    wanted, found = expected - start, received.astype(np.float64) - start
    norm = float(np.linalg.norm(wanted - found))
    measured = shared(norm, float(np.linalg.norm(wanted)))
    sides = compared(what, wanted, found, 1.0).sides
    return Difference(what=what, measured=measured, sides=f"change of {sides}")


def compared(what: str, expected: Array, received: Array | None, scale: float) -> Difference:
    if received is None or received.shape != expected.shape:
        found = "nothing" if received is None else f"shape {received.shape}"
        return Difference(
            what=what, measured=LARGEST, sides=f"expected shape {expected.shape}, received {found}"
        )
    apart = np.abs(expected - received.astype(np.float64))
    # argmax takes a NaN for the largest, as it should here
    worst = np.unravel_index(apart.argmax(), apart.shape)
    place = f"[{', '.join(map(str, worst))}] " if worst else ""
    sides = f"{place}expected {expected[worst]:.9g}, received {received[worst]:.9g}"
    return Difference(what=what, measured=shared(float(apart[worst]), scale), sides=sides)


def shared(difference: float, scale: float) -> float:
    """`difference / scale`, as far as can be where that is no number."""
    if difference == 0.0:
        return 0.0
    share = difference / scale if scale else LARGEST
    return share if share <= LARGEST else LARGEST


def require(rung: Rung) -> None:
    """Raise `ParityError` that says what diverged, how far, and how far it may."""
    if not rung.passed:
        raise ParityError(
            f"rung {rung.rung}: measured {rung.measured:.3g}, gate {rung.gate:.3g}: {rung.where}"
        )


def digests(seed: int, data: mnist.Mnist, initial: Mapping[str, Array]) -> dict[str, str]:
    """What every backend must have been given for a trial of this seed, as hashes by name."""
    order = mnist.batch_order(seed, 0, TRAIN_IMAGES)
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
