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
    """Ask one worker per backend, for some seconds each; this process imports no framework."""
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


def as_json(environments: "Sequence[Installed]", gpus: "Sequence[Gpu]") -> dict[str, Any]:
    """Return the GPUs and, per backend, what is installed and which devices it can use."""
    return {
        "gpus": [asdict(gpu) for gpu in gpus],
        "backends": [
            {
                "backend": installed.backend,
                "environment": installed.environment,
                "interpreter": installed.interpreter,
                "python": installed.python,
                # the doctor looks at the backends' own environments alone
                **installed.found.model_dump(exclude={"environment_of"}),
                "usable": {name: asdict(support) for name, support in installed.usable.items()},
                "advice": list(
                    dict.fromkeys(advice for *_, advice in verdicts(installed) if advice)
                ),
            }
            for installed in environments
        ],
    }


def as_text(environments: "Sequence[Installed]", gpus: "Sequence[Gpu]") -> str:
    """Draw what is installed and where, the GPUs, and which backend can use which device."""
    rows = [
        (installed.backend, device, verdict, ". ".join(filter(None, (reason, advice))))
        for installed in environments
        for device, verdict, reason, advice in verdicts(installed)
    ]
    return "\n\n".join(
        (
            table(("backend", "Python", "versions", "devices", "CUDA", "kernels for"),
                   list(map(installed_row, environments))),
            "\n".join(interpreter_lines(environments)),
            "\n".join(paragraph(gpu_line(gpu)) for gpu in gpus) or "No NVIDIA GPU was found.",
            table(("backend", "device", "verdict", "reason"), rows),
        )
    )  # fmt: skip


def installed_row(installed: "Installed") -> tuple[str, ...]:
    """Return what the backend's worker reported; a build without CUDA has no kernels for GPUs."""
    backend, python = installed.backend, installed.python or "unknown"
    if installed.unavailable is not None:
        return (backend, python, *["unknown"] * 4)
    known = installed.found.versions
    versions = ", ".join(f"{name} {known[name]}" for name in VERSIONS if name in known)
    kernels = installed.found.architectures or ("not told" if "cuda" in known else "none",)
    devices = ", ".join(installed.found.devices)
    return backend, python, versions, devices, known.get("cuda", "none"), ", ".join(kernels)


def interpreter_lines(environments: "Sequence[Installed]") -> Iterator[str]:
    """Write one line per interpreter: the backends that use it, and its path."""
    backends: dict[str, list[str]] = {}
    for installed in environments:
        backends.setdefault(installed.interpreter, []).append(installed.backend)
    for path, names in backends.items():
        yield f"{', '.join(names)}: {path}"


def gpu_line(gpu: "Gpu") -> str:
    """Write `cuda:0: NVIDIA T4, GPU-1a2b, compute capability 7.5, a driver for CUDA 12.4`."""
    from bench.machine.gpu_support import version_text

    capability = "unknown" if gpu.capability is None else version_text(gpu.capability)
    cuda = "unknown" if gpu.driver_cuda is None else version_text(gpu.driver_cuda)
    return (
        f"{gpu.device}: {gpu.name}, {gpu.uuid or 'UUID unknown'}, compute capability "
        f"{capability}, a driver for CUDA up to {cuda}"
    )


def verdicts(installed: "Installed") -> Iterator[tuple[str, str, str, str]]:
    """List device, verdict, reason and advice, per device."""
    if installed.unavailable is not None:
        yield "all", "unavailable", installed.unavailable, advice_to_install(installed)
    for device, support in installed.usable.items():
        yield device, support.verdict, support.reason or "", advice(installed, support)


def advice_to_install(installed: "Installed") -> str:
    """Write how to make the environment: with nox for our backends, by hand for a plug-in."""
    backend, environment = installed.backend, installed.environment
    place = all_backends().get(backend)
    if place is None or place.distribution == OURS:
        return (
            f"nox -s {environment} makes its environment, "
            f"--python {backend}=PATH names one of yours"
        )
    return (
        f"Install {place.distribution} with its dependencies into an environment of its own: "
        f"--python {backend}=PATH names it"
    )


def advice(installed: "Installed", support: "Support") -> str:
    """Write how to get an environment that can use the device; empty if it can."""
    if support.verdict == "unavailable" and installed.found.versions.get("cuda") is None:
        return (
            f"Remove .nox/{installed.environment}, then nox -s {installed.environment}: "
            "where it finds nvidia-smi it takes the CUDA build"
        )
    if support.hopeless:
        return f"--python {installed.backend}=PATH names another environment"
    return ""
