"""Models of what was seen of the machine before a run, and what to think of it."""

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from bench.record import Count, Seconds, Strict

Verdict: TypeAlias = Literal["unknown", "fit", "doubtful", "unfit"]
# from the one that counts least to the one that decides
VERDICTS: tuple[Verdict, ...] = ("unknown", "fit", "doubtful", "unfit")

Share: TypeAlias = Annotated[float, Field(ge=0)]
Bytes: TypeAlias = Annotated[int, Field(ge=0)]


class GpuSeenModel(Strict):
    """One GPU while nothing of ours runs on it; `slowed_by` names causes that lower its clock."""

    device: str
    processes: Annotated[int, Field(ge=0)] | None
    busy_share: Share | None
    celsius: int | None
    slowed_by: list[str] | None


class SeenModel(Strict):
    """What was seen in `seconds` while nothing of ours ran; None where the system does not tell.

    Shares are of all cores. `workers` would take turns in a run, all in memory at once.
    `lock_holders` is None where nobody asked for them.
    """

    seconds: Seconds
    cores: Count
    allowed_cores: Share | None
    other_cpu_share: Share | None
    stolen_share: Share | None
    governors: list[str] | None
    available_memory_bytes: Bytes
    swap_used_bytes: Bytes | None
    swap_moved_bytes: Bytes | None
    free_disk_bytes: Bytes | None
    on_battery: bool | None
    gpus: list[GpuSeenModel]
    workers: Count = 1
    lock_holders: list[str] | None = None


class FindingModel(Strict):
    """`value` has its unit; it is None where the verdict is `unknown`, and `reason` says why."""

    name: str
    value: str | None
    verdict: Verdict
    reason: str


class PreflightModel(Strict):
    """What was seen before a run, and what to think of it: the worst of the findings."""

    verdict: Verdict
    findings: list[FindingModel]
    seen: SeenModel
