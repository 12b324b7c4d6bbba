"""Name the GPUs: which ones CUDA sees, how it numbers them, and what a user may call them; pure.

The driver (NVML) counts all GPUs of a machine in PCI bus order. CUDA counts only those that
CUDA_VISIBLE_DEVICES makes visible, in the order of that variable. `cuda:N` is CUDA's number
everywhere.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from bench.errors import UsageError

Version: TypeAlias = tuple[int, int]

VISIBLE = "CUDA_VISIBLE_DEVICES"
ORDER = "CUDA_DEVICE_ORDER"
BY_BUS = "PCI_BUS_ID"
# other kinds of devices that frameworks compute on; never measured with this harness
UNTRIED = frozenset({"hip", "mps", "rocm", "tpu", "xla", "xpu"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Gpu:
    """A GPU that CUDA sees as `cuda:N`; a value is None if the driver does not report it.

    `driver_cuda` is the newest CUDA version that the driver supports. `capability` is the GPU's
    compute capability, which decides which machine code it can run.
    """

    device: str
    name: str
    uuid: str | None = None
    capability: Version | None = None
    driver_cuda: Version | None = None


def visible_names(uuids: Sequence[str], variable: str | None) -> list[str]:
    """List the driver's names of the GPUs that CUDA sees, in CUDA's order: numbers or UUIDs.

    `uuids` are those of all GPUs in the driver's order. `variable` is CUDA_VISIBLE_DEVICES, or None
    if it is not set. It is read as CUDA does: it lists numbers or UUIDs, and the start of a UUID is
    enough if it fits only one GPU. The first entry that fits no GPU ends the list; an entry that is
    repeated empties it.
    """
    if variable is None:
        return [str(number) for number in range(len(uuids))]
    names: list[str] = []
    for entry in variable.split(","):
        driver = driver_name(entry.strip(), uuids)
        if driver is None:
            return names
        if driver in names:
            return []
        names.append(driver)
    return names


def driver_name(name: str, uuids: Sequence[str]) -> str | None:
    """Return the GPU's number in the driver's order; None if `name` fits no GPU, or several.

    The name of a part of a GPU (`MIG-...`) is returned unchanged.
    """
    # a part of a GPU: the driver knows it by its UUID and gives it no number
    if name.startswith("MIG-"):
        return name
    if name.isdecimal():
        return str(int(name)) if int(name) < len(uuids) else None
    fitting = [str(number) for number, uuid in enumerate(uuids) if uuid.startswith(name)]
    return fitting[0] if len(fitting) == 1 and name.startswith("GPU-") else None


def find_device(name: str, gpus: Sequence[Gpu], variables: Mapping[str, str]) -> str:
    """Return `cpu` or `cuda:N` for a user's name of a device: also `cuda`, and `cuda:` with a UUID.

    The start of a UUID is enough. Raises `UsageError` that lists all devices if the name fits none
    of them, or several.
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
    raise UsageError(
        f"{problem}. Expected: one of {device_list(gpus, variables)}. Received: {name}"
    )


def device_list(gpus: Iterable[Gpu], variables: Mapping[str, str]) -> str:
    """Return the devices as `cpu, cuda:0 (NVIDIA T4, GPU-1a2b)`, with what hides the others."""
    named = (f"{gpu.device} ({gpu.name}, {gpu.uuid or 'UUID unknown'})" for gpu in gpus)
    left = f", as {VISIBLE}={variables[VISIBLE]} leaves them" if VISIBLE in variables else ""
    return ", ".join(("cpu", *named)) + left


def require_known_order(names: Iterable[str], variables: Mapping[str, str]) -> None:
    """Raise `UsageError` if CUDA may number these GPUs differently from the driver.

    Energy, clock and temperature would then be read from a GPU that does not compute.
    """
    order, shown = variables.get(ORDER, BY_BUS), variables.get(VISIBLE, "0")
    numbered = any(part.strip().isdecimal() for part in shown.split(","))
    if order != BY_BUS and numbered and len(set(names)) > 1:
        raise UsageError(
            f"unlike GPUs, which CUDA may number otherwise than their driver. Expected: {ORDER} "
            f"unset or {BY_BUS}, or UUIDs in {VISIBLE}. Received: {ORDER}={order}"
        )
