"""One rung: what is compared, how the difference is measured, and what a failure says.

The exact rungs (data, parameters, initial) count what differs; their gate is 0. The others measure
a difference from the oracle; their gates are in `bench.parity.gates`.
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

# a record can't hold a NaN or infinity; both count as the largest number
LARGEST = sys.float_info.max


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """One check. `where` names the first comparison beyond the gate, or else the nearest to it."""

    rung: str
    measured: float
    gate: float = 0.0
    where: str | None = None

    @property
    def passed(self) -> bool:
        """Return whether the measured value is within the gate, the gate included."""
        return self.measured <= self.gate


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One comparison with the oracle; `sides` has both sides at their worst place."""

    what: str
    measured: float
    sides: str


def rung_of(rung: str, precision: str, differences: Iterable[Difference], kind: str = "") -> Rung:
    """Build the rung of these comparisons; they are in the order in which a program computes.

    `kind` selects the gate if a rung has one per optimizer.
    """
    limit = gate(precision, f"{rung} {kind}".strip())
    ordered = list(differences)
    beyond = next((item for item in ordered if not item.measured <= limit), None)
    shown = beyond or max(ordered, key=lambda item: item.measured)
    where = f"{shown.what} ({shown.sides})"
    if beyond is not None and precision == "float64" and is_float32(shown.measured):
        where += ": as far off as float32 is"
    return Rung(rung=rung, measured=shown.measured, gate=limit, where=where)


def is_float32(measured: float) -> bool:
    """Return whether a float64 comparison differs as if it was computed in float32."""
    least, most = FLOAT32_NOISE
    return least < measured < most


def compare_tensors(what: str, expected: Array, received: Array | None) -> Difference:
    """Return the largest difference as a share of the largest expected magnitude."""
    return compare(what, expected, received, float(np.abs(expected).max()))


def compare_values(what: str, expected: float, received: float) -> Difference:
    """Return the plain difference, for values of about 1."""
    return compare(what, np.array(expected), np.array(received), 1.0)


def compare_updates(
    what: str, before: Array, expected: Array, received: Array | None
) -> Difference:
    """Return the norm of the difference as a share of the norm of the update, both after a step."""
    if received is None or received.shape != expected.shape:
        return compare(what, expected, received, 1.0)
    start = before.astype(np.float64)
    wanted, made = expected - start, received.astype(np.float64) - start
    norm = float(np.linalg.norm(wanted - made))
    measured = ratio(norm, float(np.linalg.norm(wanted)))
    sides = compare(what, wanted, made, 1.0).sides
    return Difference(what=what, measured=measured, sides=f"change of {sides}")


def compare(what: str, expected: Array, received: Array | None, scale: float) -> Difference:
    """Return the largest difference divided by `scale`; the largest number for a wrong shape."""
    if received is None or received.shape != expected.shape:
        shape = "nothing" if received is None else f"shape {received.shape}"
        return Difference(
            what=what, measured=LARGEST, sides=f"expected shape {expected.shape}, received {shape}"
        )
    apart = np.abs(expected - received.astype(np.float64))
    # argmax returns the place of a NaN if there is one, as it should here
    worst = np.unravel_index(apart.argmax(), apart.shape)
    place = f"[{', '.join(map(str, worst))}] " if worst else ""
    sides = f"{place}expected {expected[worst]:.9g}, received {received[worst]:.9g}"
    return Difference(what=what, measured=ratio(float(apart[worst]), scale), sides=sides)


def ratio(difference: float, scale: float) -> float:
    """Return `difference / scale`; the largest number if that is infinite or NaN."""
    if difference == 0.0:
        return 0.0
    share = difference / scale if scale else LARGEST
    return share if share <= LARGEST else LARGEST


def require(rung: Rung) -> None:
    """Raise `ParityError` if the rung fails: what diverged, how far, and the gate."""
    if not rung.passed:
        raise ParityError(
            f"rung {rung.rung}: measured {rung.measured:.3g}, gate {rung.gate:.3g}: {rung.where}"
        )


def digests(seed: int, data: mnist.Mnist, initial: Mapping[str, Array]) -> dict[str, str]:
    """Return hashes of what every backend must be given for a trial of this seed, by name."""
    order = mnist.batch_order(seed, 0, TRAIN_IMAGES)
    return {
        "images and labels": mnist.data_digest(data),
        "batch order": mnist.digest_of({"order": order}),
        "initial parameters": mnist.digest_of(initial),
    }


def data_rung(expected: Mapping[str, str], received: Mapping[str, str]) -> Rung:
    """Compare the hashes of `digests`, by name: the parent's with the worker's."""
    differing = [
        f"{name}: expected {digest[:12]}, received {received[name][:12]}"
        for name, digest in expected.items()
        if received[name] != digest
    ]
    return Rung(rung="data", measured=len(differing), where=next(iter(differing), None))


def parameters_rung(workload: Workload, layers: Sequence[LayerSummary]) -> Rung:
    """Compare the model's layer table with the workload's: names, kinds, shapes, counts."""
    differing = [
        f"{(wanted or received).name}: expected {describe(wanted)}, received {describe(received)}"
        for wanted, received in zip_longest(workload.summary(), layers)
        if wanted != received
    ]
    return Rung(rung="parameters", measured=len(differing), where=next(iter(differing), None))


def describe(layer: LayerSummary | None) -> str:
    if layer is None:
        return "no layer"
    return f"{layer.kind} {layer.output_shape} with {layer.count} parameters"


def initial_rung(loaded: Mapping[str, Array], returned: Mapping[str, Array]) -> Rung:
    """Count the values that differ between the loaded weights and those read back."""
    first: str | None = None
    total = 0
    for name in sorted(loaded.keys() | returned.keys()):
        count = differing_values(loaded.get(name), returned.get(name))
        total += count
        if count and first is None:
            first = f"{name}: {count} values differ"
    return Rung(rung="initial", measured=total, where=first)


def differing_values(wanted: Array | None, received: Array | None) -> int:
    """Count the values that differ.

    If a tensor is missing, or its shape or dtype differs, all of its values count.
    """
    if wanted is None or received is None:
        return max(1, sum(array.size for array in (wanted, received) if array is not None))
    if wanted.shape != received.shape or wanted.dtype != received.dtype:
        return max(1, wanted.size)
    return int(np.count_nonzero(wanted != received))


def require_changed(what: str, before: Mapping[str, Array], after: Mapping[str, Array]) -> None:
    """Raise `ParityError` if training left every weight unchanged."""
    if initial_rung(before, after).passed:
        raise ParityError(f"{what} changed no weight. Expected: an update. Received: the same")
