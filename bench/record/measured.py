"""The parts of a record that are measured or read back.

The docstrings of these models are the descriptions in `record.schema.json`.
"""

from typing import Annotated

from pydantic import Field, model_validator

from bench.record.strict import Count, Fraction, Loss, Samples, Scalar, Seconds, Strict


class RungModel(Strict):
    """One measured check: `measured` must not pass `gate`; `where` names what diverged first."""

    rung: str
    measured: float
    gate: float
    passed: bool
    where: str | None


class ParityModel(Strict):
    """The rungs of this trial, and the record that certified its cell before, by its hash.

    A parity trial's rungs are a certificate; the certificate of float32 points to that of
    float64, where the run has one, and the other trials of the cell to that of float32.
    """

    rungs: list[RungModel]
    certificate_sha256: str | None


class LayerModel(Strict):
    name: str
    kind: str
    output_shape: list[Count]
    count: Annotated[int, Field(ge=0)]


class ParametersModel(Strict):
    """Read from the framework's own model."""

    total: Count
    layers: list[LayerModel]


class SettingsModel(Strict):
    requested: dict[str, Scalar]
    effective: dict[str, Scalar]


class TimingsModel(Strict):
    """Wall seconds of each phase; a phase that a trial does not have is null.

    `waiting_seconds`: while others that are timed together with it had their turn.
    `run_up_seconds`: steps at the beginning of its own turns, not part of what was timed.
    `recompile_seconds`: further steps after the first, as long as one compiled something anew.
    """

    spawn_seconds: Seconds | None = None
    environment_seconds: Seconds | None = None
    import_seconds: Seconds | None = None
    device_seconds: Seconds | None = None
    build_seconds: Seconds | None = None
    load_seconds: Seconds | None = None
    first_step_seconds: Seconds | None = None
    recompile_seconds: Seconds | None = None
    parity_seconds: Seconds | None = None
    warmup_seconds: Seconds | None = None
    step_seconds: Seconds | None = None
    native_seconds: Seconds | None = None
    latency_seconds: Seconds | None = None
    tutorial_seconds: Seconds | None = None
    power_seconds: Seconds | None = None
    accuracy_seconds: Seconds | None = None
    waiting_seconds: Seconds | None = None
    run_up_seconds: Seconds | None = None
    total_seconds: Seconds | None = None


class StepLane(Strict):
    """The train step on device-resident full batches, synchronized at block ends only.

    `warm_up_block_seconds` are those of the blocks before, the last window of which was to be
    steady; records of early versions have none.
    """

    warm_up_block_seconds: list[Seconds] = Field(default_factory=list)
    block_seconds: Samples
    steps_per_block: Count
    batch_size: Count


class NativeLane(Strict):
    """The framework's own loop; the short slices tell the loop's start-up cost apart."""

    slice_seconds: Samples
    steps_per_slice: Count
    short_slice_seconds: Samples
    steps_per_short_slice: Count
    batch_size: Count


class TutorialLane(Strict):
    """The input pipeline that a newcomer writes, from the files or arrays of the framework."""

    slice_seconds: Samples
    steps_per_slice: Count
    batch_size: Count


class LatencyLane(Strict):
    """The train step, synchronized every step."""

    step_seconds: Samples
    batch_size: Count


class PowerLane(Strict):
    """The step lane again for `seconds`, so long that the driver can count its energy."""

    seconds: Seconds
    steps: Count
    batch_size: Count


class CanaryModel(Strict):
    """Pairs of blocks of `steps` and of twice as many; `late_seconds` of work after their end."""

    steps: Count
    single_seconds: Samples
    double_seconds: Samples
    late_seconds: list[float]


class LanesModel(Strict):
    step: StepLane | None = None
    native: NativeLane | None = None
    latency: LatencyLane | None = None
    tutorial: TutorialLane | None = None
    canary: CanaryModel | None = None
    power: PowerLane | None = None


class EpochModel(Strict):
    """`seconds` is the training alone; the train figures are running means during the epoch."""

    epoch: Count
    train_loss: Loss
    train_accuracy: Fraction
    test_loss: Loss
    test_accuracy: Fraction
    seconds: Seconds


class InferenceModel(Strict):
    batch_size: Count
    images: Count
    seconds: Samples


class AccuracyModel(Strict):
    """Final figures come from an evaluation after the last epoch.

    `evaluation` is that of the training images; records of early versions have no times of it.
    """

    train_images: Count
    epochs: list[EpochModel]
    final_train_loss: Loss
    final_train_accuracy: Fraction
    final_test_loss: Loss
    final_test_accuracy: Fraction
    predicted: Annotated[list[Annotated[int, Field(ge=0, le=9)]], Field(min_length=1)]
    confidence: list[Fraction]
    evaluation: InferenceModel | None = None
    inference: InferenceModel

    @model_validator(mode="after")
    def _same_length(self) -> "AccuracyModel":
        if len(self.predicted) != len(self.confidence):
            raise ValueError(
                f"predicted and confidence differ in length. Expected: {len(self.predicted)}. "
                f"Received: {len(self.confidence)}"
            )
        return self


class MemoryModel(Strict):
    """`peak_rss_bytes` is the whole worker process's; `peak_device_bytes` the framework's count."""

    peak_rss_bytes: Count | None = None
    peak_device_bytes: Count | None = None


class WindowsModel(Strict):
    """Seconds by window of one lane, all cores together; a block or a slice is a window.

    CPU time of the worker and of everything else, stolen by the hypervisor, held back by the
    control group's quota, and in which some task of the machine waited for a CPU. CPU time of
    others is a difference of two clocks: in a short window it may be a little below zero.
    """

    wall_seconds: list[Seconds]
    own_cpu_seconds: list[Seconds]
    other_cpu_seconds: list[float] | None
    steal_seconds: list[Seconds] | None
    throttled_seconds: list[Seconds] | None
    pressure_seconds: list[Seconds] | None


class ContentionModel(Strict):
    """CPU seconds over the trial, all cores: the worker's own, everybody else's, and stolen.

    `windows` has the same by lane for what was timed. `clock_jump_seconds`: how far the machine's
    clocks moved apart meanwhile. Records of early versions have neither.
    """

    wall_seconds: Seconds
    worker_cpu_seconds: Seconds | None = None
    other_cpu_seconds: Seconds | None = None
    steal_seconds: Seconds | None = None
    clock_jump_seconds: Seconds | None = None
    windows: dict[str, WindowsModel] = Field(default_factory=dict)


class GpuUseModel(Strict):
    """What the driver told of the GPU during the trial, between what was timed; of the whole board.

    `peak_used_bytes`: the largest memory in use that was read, contexts and what a framework keeps
    in reserve included. `clock_megahertz`: of the multiprocessors, in order. `slowed_by`: causes
    that lowered it. `energy_joules` were used in `energy_seconds`, while the power lane ran.
    """

    peak_used_bytes: Count | None
    clock_megahertz: list[Count] | None
    slowed_by: list[str] | None
    power_limit_watts: Seconds | None
    energy_joules: Seconds | None
    energy_seconds: Seconds | None


class GpuModel(Strict):
    name: str
    memory_bytes: Count | None
    driver: str


class EnvironmentModel(Strict):
    """The machine and its software. The host's name is hashed.

    `cores_usable`: logical ones that the process may run on; None where the system does not tell,
    and in records of early versions.
    """

    host_sha256: str
    system: str
    machine: str
    cpu: str
    cores_physical: int | None
    cores_logical: int
    cores_usable: int | None = None
    memory_bytes: Count
    gpus: list[GpuModel]
    python: str
    samestep: str
    versions: dict[str, str]
    variables: dict[str, str]

    @property
    def cores(self) -> int:
        """Return the number of cores that the process could use."""
        return self.cores_usable or self.cores_logical
