"""The record: the JSON file that one trial leaves. Raw samples inside, statistics never.

History of `SCHEMA_VERSION`:
1  first version; `trial.parity` came later and is null in records from before
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from bench.errors import RecordError
from bench.files import write_atomically
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

SCHEMA_VERSION = 1
LARGEST_FILE_BYTES = 16 * 2**20

Status = Literal[
    "ok",
    "unsupported",
    "unavailable",
    "parity_failed",
    "failed",
    "failed_training",
    "timed_out",
    "killed",
]
Scalar: TypeAlias = str | int | float | bool | None
Seconds: TypeAlias = Annotated[float, Field(ge=0)]
Samples: TypeAlias = Annotated[list[Annotated[float, Field(gt=0)]], Field(min_length=1)]
Count: TypeAlias = Annotated[int, Field(ge=1)]
Fraction: TypeAlias = Annotated[float, Field(ge=0, le=1)]
Loss: TypeAlias = Annotated[float, Field(ge=0)]


class Strict(BaseModel):
    """Strict JSON: no unknown key, no coercion, no NaN and no infinity."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class ExecutionModel(Strict):
    device: str
    mode: str
    precision: str
    threads: int | None
    optimizer: str
    batch_size: int


class ParityPlanModel(Strict):
    precision: str
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


class SetupModel(Strict):
    hash_seed: Annotated[int, Field(ge=0)]
    padding_bytes: Annotated[int, Field(ge=0)]


class AccuracyPlanModel(Strict):
    epochs: Count
    train_images: Count


class TrialModel(Strict):
    """`bench.spec.Trial` with its cell laid flat."""

    kind: TrialKind
    workload: str
    backend: str
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
        fields = asdict(trial)
        return cls.model_validate({**fields.pop("cell"), **fields})

    def trial(self) -> Trial:
        """The trial again; raises `UsageError` for values that no trial can have."""
        return Trial(
            kind=self.kind,
            cell=Cell(
                workload=self.workload,
                backend=self.backend,
                execution=Execution(**self.execution.model_dump()),
            ),
            seed=self.seed,
            round=self.round,
            position=self.position,
            attempt=self.attempt,
            setup=None if self.setup is None else Setup(**self.setup.model_dump()),
            parity=None if self.parity is None else ParityPlan(**self.parity.model_dump()),
            timing=None if self.timing is None else TimingPlan(**self.timing.model_dump()),
            accuracy=None if self.accuracy is None else AccuracyPlan(**self.accuracy.model_dump()),
        )


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
    """Wall seconds of each phase; a phase that a trial does not have is null."""

    spawn_seconds: Seconds | None = None
    environment_seconds: Seconds | None = None
    import_seconds: Seconds | None = None
    device_seconds: Seconds | None = None
    build_seconds: Seconds | None = None
    load_seconds: Seconds | None = None
    first_step_seconds: Seconds | None = None
    parity_seconds: Seconds | None = None
    warmup_seconds: Seconds | None = None
    step_seconds: Seconds | None = None
    native_seconds: Seconds | None = None
    latency_seconds: Seconds | None = None
    tutorial_seconds: Seconds | None = None
    accuracy_seconds: Seconds | None = None
    total_seconds: Seconds | None = None


class StepLane(Strict):
    """The train step on device-resident full batches, synchronized at block ends only.

    `warm_up_block_seconds` are those of the blocks before, the last window of which was to be
    steady; records of early versions have none.
    """

    warm_up_block_seconds: list[Annotated[float, Field(ge=0)]] = []
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
    """Final figures come from an evaluation after the last epoch."""

    train_images: Count
    epochs: list[EpochModel]
    final_train_loss: Loss
    final_train_accuracy: Fraction
    final_test_loss: Loss
    final_test_accuracy: Fraction
    predicted: Annotated[list[Annotated[int, Field(ge=0, le=9)]], Field(min_length=1)]
    confidence: list[Fraction]
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

    `windows` has the same by lane for what was timed; records of early versions have none.
    """

    wall_seconds: Seconds
    worker_cpu_seconds: Seconds | None = None
    other_cpu_seconds: Seconds | None = None
    steal_seconds: Seconds | None = None
    windows: dict[str, WindowsModel] = {}


class GpuModel(Strict):
    name: str
    memory_bytes: Count | None
    driver: str


class EnvironmentModel(Strict):
    """The machine and its software. The host's name is hashed."""

    host_sha256: str
    system: str
    machine: str
    cpu: str
    cores_physical: int | None
    cores_logical: int
    memory_bytes: Count
    gpus: list[GpuModel]
    python: str
    samestep: str
    versions: dict[str, str]
    variables: dict[str, str]


class Record(Strict):
    """One trial. Every null below has its reason in `null_reasons`, by path or by a parent's."""

    schema_version: Literal[1]
    run_id: str
    trial: TrialModel
    status: Status
    reason: str | None
    flags: list[str]
    parity: ParityModel | None
    parameters: ParametersModel | None
    settings: SettingsModel | None
    timings: TimingsModel
    lanes: LanesModel | None
    accuracy: AccuracyModel | None
    memory: MemoryModel
    contention: ContentionModel | None
    environment: EnvironmentModel
    null_reasons: dict[str, str]
    sha256: str

    @model_validator(mode="after")
    def _consistent(self) -> "Record":
        if (self.status == "ok") != (self.reason is None):
            raise ValueError(
                f"a reason goes with every status but ok. Received: {self.status}, {self.reason!r}"
            )
        unexplained = sorted(unexplained_nulls(self.model_dump(), self.null_reasons))
        if unexplained:
            raise ValueError(f"null without a reason in null_reasons. Received: {unexplained}")
        return self


MEASURED = (
    "parity",
    "parameters",
    "settings",
    "timings",
    "lanes",
    "accuracy",
    "memory",
    "contention",
)
# a requested None is a value of its own; only a failed rung has a `where`, only a run with parity
# trials has a certificate, and records of early versions have no canary
NULL_IS_A_VALUE = ("settings.", "parity.", "lanes.canary")


def unexplained_nulls(document: dict[str, Any], reasons: dict[str, str]) -> Iterator[str]:
    """Paths of the measured parts that are null while neither they nor a parent has a reason."""
    pending = [(name, document[name]) for name in MEASURED]
    while pending:
        path, value = pending.pop()
        if path in reasons or path.startswith(NULL_IS_A_VALUE):
            continue
        if value is None:
            yield path
        elif isinstance(value, dict):
            pending += [(f"{path}.{key}", child) for key, child in value.items()]


def digest(document: dict[str, Any]) -> str:
    """SHA-256 over the document's canonical JSON, its own `sha256` left out."""
    content = {key: value for key, value in document.items() if key != "sha256"}
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def seal(document: dict[str, Any]) -> Record:
    """Check a document that has all but its hash, and make the record of it.

    Raises `RecordError` for what is not a record.
    """
    try:
        unhashed = Record.model_validate({**document, "sha256": ""})
    except ValidationError as error:
        raise RecordError(f"not a record: {first_problem(error)}") from error
    return unhashed.model_copy(update={"sha256": digest(unhashed.model_dump())})


def write_record(record: Record, path: Path) -> None:
    text = json.dumps(record.model_dump(), allow_nan=False, separators=(",", ":"))
    write_atomically(path, f"{text}\n".encode())


def read_record(path: Path) -> Record:
    """The record in `path`, checked: strict JSON, schema 1, its hash.

    Raises `RecordError` with one line that says what is wrong and what to do.
    """
    document = read_strict_json(path)
    try:
        record = Record.model_validate(document)
    except ValidationError as error:
        raise RecordError(f"{path.name} is not a record: {first_problem(error)}") from error
    # of the file's own content: a field that came later has a default, and no part in old hashes
    expected = digest(document)
    if record.sha256 != expected:
        raise RecordError(
            f"{path.name} was changed after it was written. Expected sha256: {expected}. "
            f"Received: {record.sha256}. Delete it and run again with --resume"
        )
    return record


def read_strict_json(path: Path) -> Any:
    """Any JSON file of ours: capped in size, no NaN, no duplicate keys.

    Raises `RecordError` for anything else, a missing file included.
    """
    try:
        size = path.stat().st_size
        if size > LARGEST_FILE_BYTES:
            raise RecordError(
                f"{path.name} is too large. Expected: at most {LARGEST_FILE_BYTES} bytes. "
                f"Received: {size}"
            )
        return json.loads(
            path.read_text(encoding="utf-8"),
            parse_constant=_refuse_constant,
            object_pairs_hook=_unique_keys,
        )
    except OSError as error:
        raise RecordError(f"cannot read {path}: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise RecordError(f"{path.name} is not strict JSON: {error}") from error


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"Expected: finite numbers. Received: {name}")


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    keys = dict(pairs)
    if len(keys) != len(pairs):
        raise ValueError("Expected: each key once. Received: a duplicate key")
    return keys


def first_problem(error: ValidationError) -> str:
    """The first of pydantic's complaints on one line."""
    problem = error.errors(include_url=False, include_context=False)[0]
    where = ".".join(map(str, problem["loc"])) or "document"
    received = "" if isinstance(problem["input"], dict) else f". Received: {problem['input']!r:.60}"
    advice = ". Update samestep" if where == "schema_version" else ""
    return " ".join(f"{where}: {problem['msg']}{received}{advice}".split())


if __name__ == "__main__":
    print(json.dumps(Record.model_json_schema(), indent=2))
