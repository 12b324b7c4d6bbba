"""What a run is asked for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path

from bench import profiles
from bench.record.preflight import PreflightModel
from bench.run.events import DEADLINES
from bench.spec import Cell, Execution, Mode, OptimizerMath, Place, Precision, Workload


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request for a run. `interpreters` maps backend names to their environment's Python.

    `versus` maps names of further environments to the backend that they have another version or
    build of; each is measured like a backend of that name.
    """

    workloads: Sequence[Workload]
    backends: Sequence[str]
    devices: Sequence[str]
    profile: profiles.Profile
    modes: Sequence[Mode] = ("default",)
    precisions: Sequence[Precision] = ("float32",)
    optimizers: Sequence[OptimizerMath] = ("matched",)
    # none: each workload's own
    batch_sizes: Sequence[int] = ()
    interpreters: Mapping[str, str]
    places: Mapping[str, Place]
    versus: Mapping[str, str] = field(default_factory=dict)
    packages: Sequence[Path] = ()
    deadlines: Mapping[str, float] = field(default_factory=lambda: DEADLINES)
    dump: Path | None = None
    preflight: PreflightModel | None = None

    def place(self, backend: str) -> Place:
        """Return the place of a backend, or of the backend of a further environment.

        Raises `KeyError` if it has none.
        """
        return self.places[self.versus.get(backend, backend)]

    def cells(self, backend: str, device: str) -> list[Cell]:
        """Return every cell of the backend on the device."""
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
