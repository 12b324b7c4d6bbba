"""Devices by name: which GPUs CUDA sees, how it numbers them, what a user may call them; pure.

The driver (NVML) counts all GPUs of a machine by their place on the PCI bus. CUDA counts those that
CUDA_VISIBLE_DEVICES leaves it, in the order of that variable. `cuda:N` is CUDA's number everywhere.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from bench.errors import UsageError

Version: TypeAlias = tuple[int, int]

VISIBLE = "CUDA_VISIBLE_DEVICES"
ORDER = "CUDA_DEVICE_ORDER"
BY_BUS = "PCI_BUS_ID"
# what some frameworks also compute on, and nobody has measured with this harness
UNTRIED = frozenset({"hip", "mps", "rocm", "tpu", "xla", "xpu"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Gpu:
    """A GPU that CUDA sees, as `cuda:N`. What its driver does not tell is None.

    `driver_cuda` is the newest CUDA that the driver runs, `capability` the GPU's compute
    capability, which decides what machine code it understands.
    """

    device: str
    name: str
    uuid: str | None = None
    capability: Version | None = None
    driver_cuda: Version | None = None


def visible(uuids: Sequence[str], variable: str | None) -> list[str]:
    """What the driver calls the GPUs that CUDA sees, in CUDA's order: its number, or a UUID.

    `uuids` are those of all GPUs in the driver's order, `variable` is CUDA_VISIBLE_DEVICES, None
    where it is not set. As CUDA reads it: numbers or UUIDs, of which the beginning will do if it
    fits one GPU alone; the first that fits none ends the list; one that comes twice empties it.
    """
    if variable is None:
        return [str(number) for number in range(len(uuids))]
    found: list[str] = []
    for name in variable.split(","):
        called = driver_name(name.strip(), uuids)
        if called is None:
            return found
        if called in found:
            return []
        found.append(called)
    return found


def driver_name(name: str, uuids: Sequence[str]) -> str | None:
    """The number in the driver's order; None where no GPU, or more than one, is called so."""
    # a part of a GPU: the driver knows it by its UUID, and counts it nowhere
    if name.startswith("MIG-"):
        return name
    if name.isdecimal():
        return str(int(name)) if int(name) < len(uuids) else None
    fitting = [str(number) for number, uuid in enumerate(uuids) if uuid.startswith(name)]
    return fitting[0] if len(fitting) == 1 and name.startswith("GPU-") else None


def device_named(name: str, gpus: Sequence[Gpu], variables: Mapping[str, str]) -> str:
    """`cpu` or `cuda:N` for what a user calls a device: also `cuda`, and `cuda:` with a UUID.

    Of a UUID the beginning will do. Raises `UsageError` for what is not there, with all that is.
    """
    kind, _, which = name.partition(":")
    wanted = "cuda:0" if name == "cuda" else name
    uuid = which if kind == "cuda" and which.startswith(("GPU-", "MIG-")) else None
    fitting = [
        gpu.device
        for gpu in gpus
        if gpu.device == wanted or (uuid is not None and (gpu.uuid or "").startswith(uuid))
    ]
    if name == "cpu":
        return name
    if len(fitting) == 1:
        return fitting[0]
    problem = "no such device on this machine"
    if fitting:
        problem = f"{len(fitting)} GPUs have a UUID that begins so"
    if kind in UNTRIED:
        problem = f"{kind} is untried: this version measures cpu and cuda"
    raise UsageError(f"{problem}. Expected: one of {listed(gpus, variables)}. Received: {name}")


def listed(gpus: Iterable[Gpu], variables: Mapping[str, str]) -> str:
    """`cpu, cuda:0 (NVIDIA T4, GPU-1a2b)`, and what hides the rest."""
    named = (f"{gpu.device} ({gpu.name}, {gpu.uuid or 'UUID unknown'})" for gpu in gpus)
    left = f", as {VISIBLE}={variables[VISIBLE]} leaves them" if VISIBLE in variables else ""
    return ", ".join(("cpu", *named)) + left


def require_known_order(names: Iterable[str], variables: Mapping[str, str]) -> None:
    """Raise `UsageError` where CUDA may number the GPUs of these names unlike the driver.

    Energy, clock and temperature would then be read from another GPU than the one that computes.
    """
    order, shown = variables.get(ORDER, BY_BUS), variables.get(VISIBLE, "0")
    numbered = any(part.strip().isdecimal() for part in shown.split(","))
    if order != BY_BUS and numbered and len(set(names)) > 1:
        raise UsageError(
            f"unlike GPUs, which CUDA may number otherwise than their driver. Expected: {ORDER} "
            f"unset or {BY_BUS}, or UUIDs in {VISIBLE}. Received: {ORDER}={order}"
        )
