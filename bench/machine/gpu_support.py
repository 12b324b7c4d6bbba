"""Whether an installed framework can compute on a GPU, from what the two tell; pure.

A build carries its kernels as machine code (`sm_90`), which runs on GPUs of the same major compute
capability from that minor one on, and as PTX (`compute_90`), which the driver of any newer GPU
compiles when it is first used. With the suffix `a` it is for that one capability alone, with `f`
for its family. The driver must be of the major CUDA version that the build was made for, or newer;
to compile PTX, of the minor one too.
(CUDA C++ Programming Guide, "Compute Capability"; CUDA Compatibility, "Minor Version".)
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
    """What an installed framework tells of itself; None for what it does not.

    `cuda` is the version that it was made for, `architectures` are those it has kernels for.
    """

    devices: Sequence[str]
    cuda: str | None = None
    architectures: Sequence[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Support:
    """What to expect of a build on a device; the verdicts that are statuses of records mean them.

    `doubtful` may work, and may take very long at first.
    """

    verdict: SupportVerdict
    reason: str | None = None

    @property
    def hopeless(self) -> bool:
        return self.verdict in {"unsupported", "unavailable"}


OK = Support(verdict="ok")


def support(build: Build, gpu: Gpu) -> Support:
    """The first of these that speaks against it; what is unknown speaks against nothing."""
    for judge in (judge_driver, judge_kernels, judge_presence, judge_compiling):
        found = judge(build, gpu)
        if found is not None:
            return found
    return OK


def judge_driver(build: Build, gpu: Gpu) -> Support | None:
    wanted, has = version(build.cuda), gpu.driver_cuda
    if wanted is None or has is None or has[0] >= wanted[0]:
        return None
    return Support(
        verdict="unsupported",
        reason=f"driver too old. Expected: one for CUDA {wanted[0]}, which this build was made "
        f"for. Received: one for CUDA {dotted(has)} at most. Update the NVIDIA driver, or take a "
        f"build for CUDA {has[0]}",
    )


def judge_kernels(build: Build, gpu: Gpu) -> Support | None:
    if how_carried(build, gpu) != "not at all":
        return None
    return Support(
        verdict="unsupported",
        reason=f"unsupported architecture. Expected: one of {', '.join(build.architectures or ())},"
        f" which this build has kernels for. Received: {received(gpu)}. Take a build that has its "
        "kernels",
    )


def judge_presence(build: Build, gpu: Gpu) -> Support | None:
    if gpu.device in build.devices:
        return None
    why = "made without CUDA" if build.cuda is None else "it does not find this GPU"
    return Support(
        verdict="unavailable",
        reason=f"{why}. Expected: {gpu.device} among its devices. "
        f"Received: {', '.join(build.devices) or 'none'}",
    )


def judge_compiling(build: Build, gpu: Gpu) -> Support | None:
    if how_carried(build, gpu) != "as PTX":
        return None
    why = f"no kernels for {received(gpu)}: the driver has to compile them from PTX"
    wanted, has = version(build.cuda), gpu.driver_cuda
    if wanted is not None and has is not None and has < wanted:
        return Support(
            verdict="unsupported",
            reason=f"unsupported architecture, {why}, which it can't. Expected: a driver for CUDA "
            f"{dotted(wanted)}. Received: one for CUDA {dotted(has)} at most. Update the NVIDIA "
            "driver",
        )
    return Support(verdict="doubtful", reason=f"{why}, which may take half an hour at first")


def how_carried(
    build: Build, gpu: Gpu
) -> Literal["as machine code", "as PTX", "not at all", "unknown"]:
    """The way in which the build has kernels for this GPU."""
    known = [match for name in build.architectures or () if (match := ARCHITECTURE.fullmatch(name))]
    if not known or gpu.capability is None:
        return "unknown"
    kinds = {match["kind"] for match in known if runs(match, gpu.capability)}
    if "sm" in kinds:
        return "as machine code"
    return "as PTX" if "compute" in kinds else "not at all"


def runs(architecture: re.Match[str], capability: Version) -> bool:
    """Whether code for this architecture, compiled where it is PTX, runs on that capability."""
    made_for = int(architecture["major"]), int(architecture["minor"])
    if architecture["only"] == "a":
        return capability == made_for
    if architecture["only"] == "f" or architecture["kind"] == "sm":
        return capability[0] == made_for[0] and capability >= made_for
    return capability >= made_for


def version(text: str | None) -> Version | None:
    """`(12, 5)` of `12.5.1`; None where there is no such number."""
    match = VERSION.match(text or "")
    return None if match is None else (int(match["major"]), int(match["minor"] or 0))


def dotted(number: Version) -> str:
    return ".".join(map(str, number))


def received(gpu: Gpu) -> str:
    """`sm_120 (NVIDIA RTX 5090, compute capability 12.0)`."""
    assert gpu.capability is not None
    major, minor = gpu.capability
    return f"sm_{major}{minor} ({gpu.name}, compute capability {major}.{minor})"
