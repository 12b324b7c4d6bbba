"""A trial of the plan, as stored in a run and in each record."""

from dataclasses import asdict
from typing import Annotated

from pydantic import Field

from bench.record.strict import Count, Name, Seconds, Strict
from bench.spec import (
    AccuracyPlan,
    Cell,
    Execution,
    ParityPlan,
    Setup,
    TimingPlan,
    Trial,
    TrialKind,
)


class ExecutionModel(Strict):
    device: Name
    mode: Name
    precision: Name
    threads: int | None
    optimizer: Name
    batch_size: int


class ParityPlanModel(Strict):
    precision: Name
    steps: Count
    twin_steps: Annotated[int, Field(ge=0)]


class TimingPlanModel(Strict):
    window_blocks: Annotated[int, Field(ge=2)]
    blocks: Count
    steps_per_block: Count
    native_steps: Count
    native_slices: Count
    tutorial_steps: Annotated[int, Field(ge=0)]
    latency_steps: Annotated[int, Field(ge=0)] = 0
    run_up_steps: Annotated[int, Field(ge=0)] = 0
    power_seconds: Seconds = 0.0
    steps_per_call: Count = 1
    cold: bool = False


class SetupModel(Strict):
    hash_seed: Annotated[int, Field(ge=0)]
    padding_bytes: Annotated[int, Field(ge=0)]


class AccuracyPlanModel(Strict):
    epochs: Count
    train_images: Count
    longer: bool = False


class TrialModel(Strict):
    """`bench.spec.Trial` with its cell laid flat."""

    kind: TrialKind
    workload: Name
    backend: Name
    execution: ExecutionModel
    round: int | None
    position: int | None
    seed: int
    attempt: Annotated[int, Field(ge=0)] = 0
    setup: SetupModel | None = None
    parity: ParityPlanModel | None = None
    timing: TimingPlanModel | None
    accuracy: AccuracyPlanModel | None

    @classmethod
    def of(cls, trial: Trial) -> "TrialModel":
        """Return the model of this trial."""
        fields = asdict(trial)
        return cls.model_validate({**fields.pop("cell"), **fields})

    # not cached: `model_copy` would carry the value of the original into the copy
    @property
    def cell(self) -> Cell:
        """Return the trial's cell; raises `UsageError` for values that no cell can have."""
        return Cell(
            workload=self.workload,
            backend=self.backend,
            execution=Execution(**self.execution.model_dump()),
        )

    @property
    def name(self) -> str:
        """Return `Trial.name`, the file name of record and log; raises as `trial` does."""
        return self.trial().name

    def trial(self) -> Trial:
        """Return the trial; raises `UsageError` for values that no trial can have."""
        return Trial(
            kind=self.kind,
            cell=self.cell,
            seed=self.seed,
            round=self.round,
            position=self.position,
            attempt=self.attempt,
            setup=None if self.setup is None else Setup(**self.setup.model_dump()),
            parity=None if self.parity is None else ParityPlan(**self.parity.model_dump()),
            timing=None if self.timing is None else TimingPlan(**self.timing.model_dump()),
            accuracy=None if self.accuracy is None else AccuracyPlan(**self.accuracy.model_dump()),
        )
