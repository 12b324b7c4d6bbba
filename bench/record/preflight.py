"""Models of what was seen of the machine before a run, and of the verdict on it."""

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from bench.record import Count, Seconds, Strict

Verdict: TypeAlias = Literal["unknown", "fit", "doubtful", "unfit"]
# from the weakest to the one that decides
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
    """What was seen in `seconds` while nothing of ours ran; None if the system does not report it.

    Shares are of all cores. `workers` is the number of workers that a run would hold in memory at
    once, taking turns. `lock_holders` is None if the look did not ask for them.
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
    """One finding. `value` has its unit; it is None if the verdict is `unknown`.

    `reason` says why it is unknown, or what was expected.
    """

    name: str
    value: str | None
    verdict: Verdict
    reason: str


class PreflightModel(Strict):
    """What was seen before a run, with the verdict on it: the worst of the findings."""

    verdict: Verdict
    findings: list[FindingModel]
    seen: SeenModel
