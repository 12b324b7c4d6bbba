"""Judge whether a machine is fit to be measured on, from what was seen of it; pure.

`bench.machine.look` collects the facts. A fact that the system does not report stays unknown and
makes no verdict worse.
"""

from collections.abc import Iterable

from bench.record.flags import MOST_OTHER_SHARE, MOST_STOLEN_SHARE
from bench.record.preflight import (
    VERDICTS,
    FindingModel,
    GpuSeenModel,
    PreflightModel,
    SeenModel,
    Verdict,
)

# CPU time is counted in hundredths of a second: on two cores 0.1 % of 5 s, 0.5 % of 1 s
LOOK_SECONDS = 5.0
SMOKE_LOOK_SECONDS = 1.0

# if others take a quarter, a trial in a quiet moment and the next trial see different machines
UNFIT_SHARE = 0.25
# the largest worker of the published runs took 1.9 GB; the parent and the file cache need as much
# again: without the cache MNIST and the frameworks are read from disk for each trial
WORKER_BYTES = 2_000_000_000
# a published run has 2 MB of records, plus logs and figures; the rest is for the system
RUN_BYTES = 50_000_000
COMFORTABLE_DISK_BYTES = 1_000_000_000
# any moved page means that memory is short now; at this rate a step waits for the disk
UNFIT_SWAP_BYTES_PER_SECOND = 10_000_000
# they keep the clock low or raise it late; with intel_pstate, `powersave` raises it with a delay
SLOW_GOVERNORS = frozenset({"powersave", "conservative"})
# NVIDIA GPUs slow down from about 83 degrees on, and work heats an idle GPU further
WARM_GPU_CELSIUS = 75


def judge(seen: SeenModel) -> PreflightModel:
    """Return the verdict on the machine with all findings: the worst of them decides."""
    findings = [
        other_cpu(seen),
        stolen_cpu(seen),
        cores(seen),
        governor(seen),
        memory(seen),
        swap(seen),
        disk(seen),
        power(seen),
        *(item for gpu in seen.gpus for item in (gpu_use(gpu), gpu_clock(gpu))),
        *([] if seen.lock_holders is None else [lock(seen.lock_holders)]),
    ]
    verdict = worst_verdict(item.verdict for item in findings)
    return PreflightModel(verdict=verdict, findings=findings, seen=seen)


def worst_verdict(verdicts: Iterable[Verdict]) -> Verdict:
    """Return the worst of these verdicts; `unknown` only if all are."""
    return max(verdicts, key=VERDICTS.index)


def verdict_above(value: float, *, doubtful: float, unfit: float) -> Verdict:
    """Return the verdict on a value that should be small: worse above each of the two limits."""
    if value > unfit:
        return "unfit"
    return "doubtful" if value > doubtful else "fit"


def verdict_below(value: float, *, doubtful: float, unfit: float) -> Verdict:
    """Return the verdict on a value that should be large: worse below each of the two limits."""
    return verdict_above(-value, doubtful=-doubtful, unfit=-unfit)


def doubtful_if(bad: bool) -> Verdict:
    return "doubtful" if bad else "fit"


def unknown_finding(name: str, reason: str) -> FindingModel:
    return FindingModel(name=name, value=None, verdict="unknown", reason=reason)


def finding(name: str, value: str, verdict: Verdict, reason: str) -> FindingModel:
    return FindingModel(name=name, value=value, verdict=verdict, reason=reason)


def percent(share: float) -> str:
    """Format a share as `5 %` or `12.3 %`."""
    return f"{100 * share:.1f}".removesuffix(".0") + " %"


def gigabytes(number: int) -> str:
    """Format a number of bytes as `1.9 GB`."""
    return f"{number / 1e9:,.1f} GB"


def other_cpu(seen: SeenModel) -> FindingModel:
    """Judge the CPU time that other processes take."""
    why = "trials that see more are flagged as contended"
    return cpu_share("other processes", seen.other_cpu_share, MOST_OTHER_SHARE, why)


def stolen_cpu(seen: SeenModel) -> FindingModel:
    """Judge the CPU time that the host takes from this virtual machine."""
    why = "the host gives it to other virtual machines"
    return cpu_share("stolen CPU time", seen.stolen_share, MOST_STOLEN_SHARE, why)


def cpu_share(name: str, share: float | None, most: float, why: str) -> FindingModel:
    """Judge a share of all cores: doubtful above `most`, unfit above `UNFIT_SHARE`."""
    if share is None:
        return unknown_finding(name, "this system does not count it")
    verdict = verdict_above(share, doubtful=most, unfit=UNFIT_SHARE)
    value = f"{percent(share)} of all cores"
    return finding(name, value, verdict, f"expected at most {percent(most)}: {why}")


def cores(seen: SeenModel) -> FindingModel:
    """Judge how many of the cores this process may use."""
    name = "usable cores"
    if seen.allowed_cores is None:
        return unknown_finding(name, "this system tells neither quotas nor CPU masks")
    verdict = doubtful_if(seen.allowed_cores < seen.cores)
    value = f"{seen.allowed_cores:.3g} of {seen.cores}"
    why = "under a quota or CPU mask, frameworks may start more threads than can run"
    return finding(name, value, verdict, f"expected all: {why}")


def governor(seen: SeenModel) -> FindingModel:
    """Judge the CPU's governors: doubtful if one keeps the clock low or raises it late."""
    name = "CPU governor"
    if seen.governors is None:
        return unknown_finding(name, "this system shows none, as most virtual machines")
    verdict = doubtful_if(not SLOW_GOVERNORS.isdisjoint(seen.governors))
    why = "powersave and conservative raise the clock late or never"
    return finding(name, ", ".join(seen.governors), verdict, f"expected performance: {why}")


def memory(seen: SeenModel) -> FindingModel:
    """Judge the free memory: enough for the workers, and as much again as one takes for files."""
    available, taken = seen.available_memory_bytes, seen.workers * WORKER_BYTES
    verdict = verdict_below(available, doubtful=taken + WORKER_BYTES, unfit=taken)
    why = f"{seen.workers} at a time take {gigabytes(WORKER_BYTES)} each, the rest is for files"
    expected = f"expected at least {gigabytes(taken + WORKER_BYTES)}: {why}"
    return finding("free memory", gigabytes(available), verdict, expected)


def swap(seen: SeenModel) -> FindingModel:
    """Judge the traffic from and to the swap, not the swap in use."""
    if seen.swap_used_bytes is None or seen.swap_moved_bytes is None:
        return unknown_finding("swap", "this system does not count it")
    most = UNFIT_SWAP_BYTES_PER_SECOND * seen.seconds
    verdict = verdict_above(seen.swap_moved_bytes, doubtful=0, unfit=most)
    moved = f"{seen.swap_moved_bytes / 1e6:,.1f} MB moved in {seen.seconds:.0f} s"
    value = f"{gigabytes(seen.swap_used_bytes)} used, {moved}"
    return finding("swap", value, verdict, "expected none to move: it does where memory is short")


def disk(seen: SeenModel) -> FindingModel:
    """Judge the free disk space in the folder of the run."""
    if seen.free_disk_bytes is None:
        return unknown_finding("free disk", "the place of the run does not tell")
    verdict = verdict_below(seen.free_disk_bytes, doubtful=COMFORTABLE_DISK_BYTES, unfit=RUN_BYTES)
    expected = f"expected at least {gigabytes(COMFORTABLE_DISK_BYTES)}, where the run goes"
    return finding("free disk", gigabytes(seen.free_disk_bytes), verdict, expected)


def power(seen: SeenModel) -> FindingModel:
    """Judge the power supply: on battery, clocks are lowered."""
    if seen.on_battery is None:
        return unknown_finding("power", "this system does not tell whether it runs on battery")
    value = "battery" if seen.on_battery else "mains"
    verdict = doubtful_if(seen.on_battery)
    return finding("power", value, verdict, "expected mains: on battery clocks are lowered")


def gpu_use(gpu: GpuSeenModel) -> FindingModel:
    """Judge the other processes and the load on a GPU that should be idle."""
    name = f"use of {gpu.device}"
    if gpu.processes is None and gpu.busy_share is None:
        return unknown_finding(name, "its driver tells neither processes nor load")
    busy = verdict_above(gpu.busy_share or 0, doubtful=MOST_OTHER_SHARE, unfit=UNFIT_SHARE)
    verdict = worst_verdict((busy, doubtful_if(bool(gpu.processes))))
    load = "load unknown" if gpu.busy_share is None else f"{percent(gpu.busy_share)} busy"
    others = "processes unknown" if gpu.processes is None else f"{gpu.processes} processes"
    expected = f"expected no other process and at most {percent(MOST_OTHER_SHARE)}"
    return finding(name, f"{others}, {load}", verdict, f"{expected}: its time would be shared")


def gpu_clock(gpu: GpuSeenModel) -> FindingModel:
    """Judge the temperature of a GPU, and what slows its clock."""
    name = f"clock of {gpu.device}"
    if gpu.celsius is None and gpu.slowed_by is None:
        return unknown_finding(name, "its driver tells neither temperature nor what slows it")
    verdict = doubtful_if(bool(gpu.slowed_by) or (gpu.celsius or 0) > WARM_GPU_CELSIUS)
    heat = "temperature unknown" if gpu.celsius is None else f"{gpu.celsius} °C"
    causes = ["unknown"] if gpu.slowed_by is None else gpu.slowed_by or ["nothing"]
    value = f"{heat}, slowed by {', '.join(causes)}"
    expected = f"expected at most {WARM_GPU_CELSIUS} °C, slowed by nothing"
    return finding(name, value, verdict, f"{expected}: work would lower its clock")


def lock(holders: list[str]) -> FindingModel:
    """Judge the lock: a second run is refused while another holds it."""
    value = "; ".join(holders) or "free"
    verdict: Verdict = "unfit" if holders else "fit"
    return finding("lock", value, verdict, "expected free: a second run is refused, exit code 75")
