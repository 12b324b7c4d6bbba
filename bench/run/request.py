"""What a run is asked for, and who is told how it goes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any, Protocol

from bench import profiles
from bench.record import Record
from bench.record.preflight import PreflightModel
from bench.record.run import RunModel
from bench.run.events import DEADLINES
from bench.spec import Cell, Execution, Place, Trial, Workload


class Display(Protocol):
    """Who is told how a run goes. Called between trials, and when an epoch ends; never timed."""

    def piloting(self, backend: str, device: str) -> None: ...

    def planned(self, run: RunModel, missing: Sequence[Trial]) -> None: ...

    def started(self, trial: Trial) -> None: ...

    def epoch(self, trial: Trial, figures: Mapping[str, Any]) -> None: ...

    def ended(self, record: Record) -> None: ...

    def unwritten(self, record: Record, path: Path) -> None: ...

    def added(self, trials: Sequence[Trial], why: str) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What was asked for. `interpreters` maps backend names to the Python of their environment."""

    workloads: Sequence[Workload]
    backends: Sequence[str]
    devices: Sequence[str]
    profile: profiles.Profile
    modes: Sequence[str] = ("default",)
    precisions: Sequence[str] = ("float32",)
    optimizers: Sequence[str] = ("matched",)
    # none: each workload's own
    batch_sizes: Sequence[int] = ()
    interpreters: Mapping[str, str]
    places: Mapping[str, Place]
    packages: Sequence[Path] = ()
    deadlines: Mapping[str, float] = field(default_factory=lambda: DEADLINES)
    dump: Path | None = None
    preflight: PreflightModel | None = None

    def cells(self, backend: str, device: str) -> list[Cell]:
        ways = list(product(self.modes, self.precisions, self.optimizers))
        return [
            Cell(
                workload=workload.name,
                backend=backend,
                execution=Execution(
                    device=device,
                    batch_size=batch_size,
                    mode=mode,
                    precision=precision,
                    optimizer=optimizer,
                ),
            )
            for workload in self.workloads
            for batch_size in self.batch_sizes or [workload.batch_size]
            for mode, precision, optimizer in ways
        ]
