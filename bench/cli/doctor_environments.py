"""Show each backend's environment and what it lacks, for `samestep doctor --environments`."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from backends import OURS, all_backends
from bench.cli.table import paragraph, table

if TYPE_CHECKING:
    from bench.machine.devices import Gpu
    from bench.machine.gpu_support import Support
    from bench.run.environments import Installed

VERSIONS = ("keras", "torch", "tensorflow", "jax")


def look_into(
    backends: Sequence[str], interpreters: Mapping[str, str], gpus: "Sequence[Gpu]"
) -> "list[Installed]":
    """Ask a worker per backend, which takes some seconds each. Imports no framework here."""
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
    """Draw what is installed and where, the GPUs, and which backend can use which device."""
    rows = [
        (one.backend, device, verdict, ". ".join(filter(None, (reason, advice))))
        for one in found
        for device, verdict, reason, advice in verdicts(one)
    ]
    return "\n\n".join(
        (
            table(("backend", "Python", "versions", "devices", "CUDA", "kernels for"),
                   list(map(installed_row, found))),
            "\n".join(interpreters(found)),
            "\n".join(paragraph(gpu_line(gpu)) for gpu in gpus) or "No NVIDIA GPU was found.",
            table(("backend", "device", "verdict", "reason"), rows),
        )
    )  # fmt: skip


def installed_row(one: "Installed") -> tuple[str, ...]:
    """Return what a worker reported; a build without CUDA has no kernels for GPUs."""
    python = one.python or "unknown"
    if one.unavailable is not None:
        return (one.backend, python, *["unknown"] * 4)
    known = one.found.versions
    versions = ", ".join(f"{name} {known[name]}" for name in VERSIONS if name in known)
    kernels = one.found.architectures or ("not told" if "cuda" in known else "none",)
    devices = ", ".join(one.found.devices)
    return one.backend, python, versions, devices, known.get("cuda", "none"), ", ".join(kernels)


def interpreters(found: "Sequence[Installed]") -> Iterator[str]:
    """List each interpreter with the backends that use it, one line per interpreter."""
    for path in dict.fromkeys(one.interpreter for one in found):
        names = ", ".join(one.backend for one in found if one.interpreter == path)
        yield f"{names}: {path}"


def gpu_line(gpu: "Gpu") -> str:
    """Write `cuda:0: NVIDIA T4, GPU-1a2b, compute capability 7.5, a driver for CUDA 12.4`."""
    from bench.machine.gpu_support import version_text

    capability = "unknown" if gpu.capability is None else version_text(gpu.capability)
    cuda = "unknown" if gpu.driver_cuda is None else version_text(gpu.driver_cuda)
    return (
        f"{gpu.device}: {gpu.name}, {gpu.uuid or 'UUID unknown'}, compute capability "
        f"{capability}, a driver for CUDA up to {cuda}"
    )


def verdicts(one: "Installed") -> Iterator[tuple[str, str, str, str]]:
    """List device, verdict, reason and advice per device."""
    if one.unavailable is not None:
        yield "all", "unavailable", one.unavailable, advice_on_making(one)
    for device, how in one.usable.items():
        yield device, how.verdict, how.reason or "", advice_on(one, how)


def advice_on_making(one: "Installed") -> str:
    """Say how to make the environment: with nox for our backends, by hand for a plug-in."""
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
