"""What `samestep doctor --environments` shows: every backend's environment, and what it lacks."""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from backends import OURS, all_backends

if TYPE_CHECKING:
    from bench.machine.devices import Gpu
    from bench.machine.gpu_support import Support
    from bench.run.environments import Installed

NARROWEST = 24
VERSIONS = ("keras", "torch", "tensorflow", "jax")


def look_into(
    backends: Sequence[str], interpreters: Mapping[str, str], gpus: "Sequence[Gpu]"
) -> "list[Installed]":
    """Ask a worker of each, some seconds a backend. Imports no framework."""
    from bench.profiles import PROFILES
    from bench.run.display import TerminalDisplay
    from bench.run.environments import look_at
    from bench.run.request import Request

    request = Request(
        workloads=(), backends=backends, devices=(), profile=PROFILES["smoke"],
        interpreters=interpreters,
        places=all_backends(),
    )  # fmt: skip
    with TerminalDisplay() as display:
        return list(look_at(request, gpus, display))


def as_json(found: "Sequence[Installed]", gpus: "Sequence[Gpu]") -> dict[str, Any]:
    return {
        "gpus": [asdict(gpu) for gpu in gpus],
        "backends": [
            {
                "backend": one.backend,
                "environment": one.environment,
                "interpreter": one.interpreter,
                "python": one.python,
                **one.found.model_dump(),
                "usable": {device: asdict(how) for device, how in one.usable.items()},
                "advice": list(dict.fromkeys(advised for *_, advised in verdicts(one) if advised)),
            }
            for one in found
        ],
    }


def as_text(found: "Sequence[Installed]", gpus: "Sequence[Gpu]") -> str:
    """What is installed, where, which GPUs there are, and what can be used; as wide as a screen."""
    rows = [
        (one.backend, device, verdict, ". ".join(filter(None, (reason, advice))))
        for one in found
        for device, verdict, reason, advice in verdicts(one)
    ]
    return "\n\n".join(
        (
            tabled(("backend", "Python", "versions", "devices", "CUDA", "kernels for"),
                   list(map(installed_row, found))),
            "\n".join(interpreters(found)),
            "\n".join(map(gpu_line, gpus)) or "No NVIDIA GPU was found.",
            tabled(("backend", "device", "verdict", "reason"), rows),
        )
    )  # fmt: skip


def installed_row(one: "Installed") -> tuple[str, ...]:
    """What a worker told; a build without CUDA has no kernels for GPUs to tell of."""
    python = one.python or "unknown"
    if one.unavailable is not None:
        return (one.backend, python, *["unknown"] * 4)
    known = one.found.versions
    versions = ", ".join(f"{name} {known[name]}" for name in VERSIONS if name in known)
    kernels = one.found.architectures or ("not told" if "cuda" in known else "none",)
    devices = ", ".join(one.found.devices)
    return one.backend, python, versions, devices, known.get("cuda", "none"), ", ".join(kernels)


def interpreters(found: "Sequence[Installed]") -> Iterator[str]:
    """A line for each interpreter, with the backends that have it."""
    for path in dict.fromkeys(one.interpreter for one in found):
        names = ", ".join(one.backend for one in found if one.interpreter == path)
        yield f"{names}: {path}"


def gpu_line(gpu: "Gpu") -> str:
    """`cuda:0: NVIDIA T4, GPU-1a2b, compute capability 7.5, a driver for CUDA 12.4`."""
    from bench.machine.gpu_support import dotted

    capability = "unknown" if gpu.capability is None else dotted(gpu.capability)
    cuda = "unknown" if gpu.driver_cuda is None else dotted(gpu.driver_cuda)
    return (
        f"{gpu.device}: {gpu.name}, {gpu.uuid or 'UUID unknown'}, compute capability "
        f"{capability}, a driver for CUDA up to {cuda}"
    )


def verdicts(one: "Installed") -> Iterator[tuple[str, str, str, str]]:
    """Device, verdict, reason and advice."""
    if one.unavailable is not None:
        yield "all", "unavailable", one.unavailable, advice_on_making(one)
    for device, how in one.usable.items():
        yield device, how.verdict, how.reason or "", advice_on(one, how)


def advice_on_making(one: "Installed") -> str:
    """Nox makes the environments of our own backends; a plug-in says itself what it needs."""
    place = all_backends().get(one.backend)
    if place is None or place.distribution == OURS:
        return (
            f"nox -s {one.environment} makes its environment, "
            f"--python {one.backend}=PATH names one of yours"
        )
    return (
        f"Install {place.distribution} with its dependencies into an environment of its own: "
        f"--python {one.backend}=PATH names it"
    )


def advice_on(one: "Installed", how: "Support") -> str:
    if how.verdict == "unavailable" and one.found.versions.get("cuda") is None:
        return (
            f"Remove .nox/{one.environment}, then nox -s {one.environment}: "
            "where it finds nvidia-smi it takes the CUDA build"
        )
    if how.hopeless:
        return f"--python {one.backend}=PATH names another environment"
    return ""


def tabled(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """As wide as the terminal: the two widest columns share what the others leave."""
    from tabulate import tabulate

    # tabulate leaves two spaces beside a header
    titles = [f"{header}  " for header in headers]
    widths = [max(map(len, column)) for column in zip(titles, *rows, strict=True)]
    *others, second, widest = sorted(range(len(widths)), key=widths.__getitem__)
    taken = sum(widths[column] for column in others) + 2 * len(others) + 2
    left = shutil.get_terminal_size().columns - taken
    widths[second] = min(widths[second], max(NARROWEST, left // 2))
    widths[widest] = max(NARROWEST, left - widths[second])
    return tabulate(rows, headers, maxcolwidths=widths, disable_numparse=True)
