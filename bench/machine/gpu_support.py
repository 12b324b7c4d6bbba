"""Decide whether an installed framework can compute on a GPU, from what the two report; pure.

A build carries its kernels as machine code (`sm_90`) or as PTX (`compute_90`). Machine code runs on
GPUs of the same major compute capability, from its minor capability on. PTX is compiled by the
driver of any newer GPU when it is first used. With the suffix `a` the code is for that one
capability alone, with `f` for its family. The driver must support the major CUDA version that the
build was made for, or a newer one. To compile PTX it must support the minor version too. (CUDA C++
Programming Guide, "Compute Capability"; CUDA Compatibility, "Minor Version".)
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from bench.machine.devices import Gpu, Version

ARCHITECTURE = re.compile(r"(?P<kind>sm|compute)_(?P<major>\d+)(?P<minor>\d)(?P<only>[af]?)")
VERSION = re.compile(r"(?P<major>\d+)(\.(?P<minor>\d+))?")

SupportVerdict: TypeAlias = Literal["ok", "doubtful", "unsupported", "unavailable"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """What an installed framework reports of itself; None for what it does not report.

    `cuda` is the CUDA version that it was made for, `architectures` are those it has kernels for.
    """

    devices: Sequence[str]
    cuda: str | None = None
    architectures: Sequence[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Support:
    """What to expect of a build on a device.

    The verdicts that are statuses of records have the same meaning. With `doubtful` the build may
    work, and its first use may take very long.
    """

    verdict: SupportVerdict
    reason: str | None = None

    @property
    def hopeless(self) -> bool:
        """Return whether nothing can run: no trial is started then."""
        return self.verdict in {"unsupported", "unavailable"}


OK = Support(verdict="ok")


def support(build: Build, gpu: Gpu) -> Support:
    """Return the first objection to this build on this GPU; unknown facts are no objection."""
    for judge in (judge_driver, judge_kernels, judge_presence, judge_compiling):
        objection = judge(build, gpu)
        if objection is not None:
            return objection
    return OK


def judge_driver(build: Build, gpu: Gpu) -> Support | None:
    """Return an objection if the driver is older than the major CUDA version of the build."""
    wanted, has = version(build.cuda), gpu.driver_cuda
    if wanted is None or has is None or has[0] >= wanted[0]:
        return None
    return Support(
        verdict="unsupported",
        reason=f"driver too old. Expected: one for CUDA {wanted[0]}, which this build was made "
        f"for. Received: one for CUDA {version_text(has)} at most. Update the NVIDIA driver, or "
        f"take a build for CUDA {has[0]}",
    )


def judge_kernels(build: Build, gpu: Gpu) -> Support | None:
    """Return an objection if the build has no kernels for this GPU in any form."""
    if kernel_form(build, gpu) != "not at all":
        return None
    return Support(
        verdict="unsupported",
        reason=f"unsupported architecture. Expected: one of {', '.join(build.architectures or ())},"
        f" which this build has kernels for. Received: {describe_gpu(gpu)}. Take a build that has "
        "its kernels",
    )


def judge_presence(build: Build, gpu: Gpu) -> Support | None:
    """Return an objection if the framework does not list this GPU among its devices."""
    if gpu.device in build.devices:
        return None
    why = "made without CUDA" if build.cuda is None else "it does not find this GPU"
    return Support(
        verdict="unavailable",
        reason=f"{why}. Expected: {gpu.device} among its devices. "
        f"Received: {', '.join(build.devices) or 'none'}",
    )


def judge_compiling(build: Build, gpu: Gpu) -> Support | None:
    """Return an objection if the driver has to compile the kernels.

    That may take long; with a driver older than the build's CUDA version it is impossible.
    """
    if kernel_form(build, gpu) != "as PTX":
        return None
    why = f"no kernels for {describe_gpu(gpu)}: the driver has to compile them from PTX"
    wanted, has = version(build.cuda), gpu.driver_cuda
    if wanted is not None and has is not None and has < wanted:
        return Support(
            verdict="unsupported",
            reason=f"unsupported architecture, {why}, which it can't. Expected: a driver for CUDA "
            f"{version_text(wanted)}. Received: one for CUDA {version_text(has)} at most. Update "
            "the NVIDIA driver",
        )
    return Support(verdict="doubtful", reason=f"{why}, which may take half an hour at first")


def kernel_form(
    build: Build, gpu: Gpu
) -> Literal["as machine code", "as PTX", "not at all", "unknown"]:
    """Return the form in which the build has kernels for this GPU."""
    known = [match for name in build.architectures or () if (match := ARCHITECTURE.fullmatch(name))]
    if not known or gpu.capability is None:
        return "unknown"
    kinds = {match["kind"] for match in known if runs(match, gpu.capability)}
    if "sm" in kinds:
        return "as machine code"
    return "as PTX" if "compute" in kinds else "not at all"


def runs(architecture: re.Match[str], capability: Version) -> bool:
    """Return whether code for this architecture runs on that capability, PTX being compiled."""
    made_for = int(architecture["major"]), int(architecture["minor"])
    if architecture["only"] == "a":
        return capability == made_for
    if architecture["only"] == "f" or architecture["kind"] == "sm":
        return capability[0] == made_for[0] and capability >= made_for
    return capability >= made_for


def version(text: str | None) -> Version | None:
    """Return `(12, 5)` for `12.5.1`; None if the text does not start with a number."""
    match = VERSION.match(text or "")
    return None if match is None else (int(match["major"]), int(match["minor"] or 0))


def version_text(number: Version) -> str:
    """Return `12.4` for `(12, 4)`."""
    return ".".join(map(str, number))


def describe_gpu(gpu: Gpu) -> str:
    """Describe the GPU as `sm_120 (NVIDIA RTX 5090, compute capability 12.0)`."""
    assert gpu.capability is not None
    major, minor = gpu.capability
    return f"sm_{major}{minor} ({gpu.name}, compute capability {major}.{minor})"
