"""What the parent and a worker say to each other: the task, the events, the result.

Each is JSON. The parent writes the task and the facts of the process as one object on the
worker's standard input (`bench.worker.task`); the worker sends one event per line on a pipe of its
own, the last of them with the result. The types state what our own worker sends: a broken one may
send anything, and `bench.run.outcome` checks it before it becomes a record.
"""

from collections.abc import Mapping
from typing import Literal, TypeAlias, TypedDict, final

from bench.spec import Cell, Status, Trial

# ---- the task ----


class Process(TypedDict):
    """What a worker must know of its own process.

    The descriptors are pipes: events go into the first, and a byte on the second is a turn.
    `spawned_monotonic` is the parent's `time.monotonic()` at the start, in seconds;
    `cache_folder` is where the compiler keeps its programs, if anywhere.
    """

    result_descriptor: int
    turn_descriptor: int
    spawned_monotonic: float
    cache_folder: str | None


class BackendTask(TypedDict):
    """What each task names: a backend and the module of its adapter."""

    backend: str
    adapter: str


@final
class TrialTask(BackendTask):
    """One trial. `digests` are hashes by name of the data it must have.

    `dump` is the folder for the arrays of a parity trial.
    """

    trial: Trial
    digests: Mapping[str, str]
    dump: str | None


@final
class PilotTask(BackendTask):
    """A pilot of these cells; without cells it reports versions and devices alone."""

    cells: list[Cell]


Task: TypeAlias = TrialTask | PilotTask


# ---- the lanes of a timing trial; all seconds are those of the worker's clock ----


class StepLane(TypedDict):
    warm_up_block_seconds: list[float]
    block_seconds: list[float]
    steps_per_block: int
    batch_size: int


class LatencyLane(TypedDict):
    step_seconds: list[float]
    batch_size: int


class CanaryLane(TypedDict):
    single_seconds: tuple[float, ...]
    double_seconds: tuple[float, ...]
    late_seconds: tuple[float, ...]
    steps: int


class NativeLane(TypedDict):
    slice_seconds: list[float]
    short_slice_seconds: list[float]
    steps_per_slice: int
    steps_per_short_slice: int
    batch_size: int


class TutorialLane(TypedDict):
    slice_seconds: list[float]
    steps_per_slice: int
    batch_size: int


class PowerLane(TypedDict):
    seconds: float
    steps: int
    batch_size: int


class Lanes(TypedDict, total=False):
    """The lanes that a trial's plan has steps for."""

    step: StepLane
    latency: LatencyLane
    canary: CanaryLane
    native: NativeLane
    tutorial: TutorialLane
    power: PowerLane


# ---- the figures of an accuracy trial ----


class EpochFigures(TypedDict):
    """Losses are means per image, accuracies shares; `seconds` are those of `fit` alone."""

    epoch: int
    train_loss: float
    train_accuracy: float
    test_loss: float
    test_accuracy: float
    seconds: float


class Passes(TypedDict):
    """Seconds of each pass over `images` images."""

    batch_size: int
    images: int
    seconds: list[float]


class Predictions(TypedDict):
    """What the trained program says of all test images: a class and its confidence for each."""

    final_test_loss: float
    final_test_accuracy: float
    predicted: list[int]
    confidence: list[float]
    inference: Passes


class Accuracy(Predictions):
    train_images: int
    epochs: list[EpochFigures]
    final_train_loss: float
    final_train_accuracy: float
    evaluation: Passes


# ---- the figures of a pilot ----


class Repeats(TypedDict):
    """Calls made and the seconds that they took, per repeat."""

    calls: list[int]
    seconds: list[float]


class ProductRepeats(Repeats):
    """Repeats of the product (rows, inner) @ (inner, columns)."""

    rows: int
    inner: int
    columns: int


class AccumulateRepeats(Repeats):
    """Repeats of `y += x` over two arrays of `array_bytes` bytes each."""

    array_bytes: int


class Attained(TypedDict):
    """What a device attains; `launch` is None on a CPU, which launches nothing."""

    large: ProductRepeats
    accumulate: AccumulateRepeats
    launch: Repeats | None
    dense: list[ProductRepeats]
    wall_seconds: float


class Calibration(TypedDict):
    """What a device attains in one precision; else `missing` is the reason."""

    device: str
    precision: str
    attained: Attained | None
    missing: str | None


@final
class PilotFigures(TypedDict):
    """What a trial of this cell will cost."""

    cell: str
    status: Literal["ok"]
    setup_seconds: float
    step_seconds: float
    steps_per_block: int
    steps_per_call: int
    compile_seconds: float
    native_step_seconds: float


@final
class PilotMiss(TypedDict):
    """Why a cell has no figures."""

    cell: str
    status: Status
    reason: str


# ---- the result and the events ----


class RungResult(TypedDict):
    """One rung: the difference measured, its gate, and the first place beyond the gate."""

    rung: str
    measured: float
    gate: float
    where: str | None
    passed: bool


class LayerRow(TypedDict):
    """One layer as the program has it; `output_shape` is without the batch axis."""

    name: str
    kind: str
    output_shape: tuple[int, ...]
    count: int


Value: TypeAlias = str | int | float | bool | None


class Ending(TypedDict):
    """How the job ended; `reason` is None if that is `ok`."""

    status: Status
    reason: str | None


class Result(Ending, total=False):
    """What a worker knows at its end; a job that fails early has less of it.

    `timings` are seconds by phase, `windows` the machine's counters by lane, counter and window.
    `cells` and `calibrations` are a pilot's, all from `layers` to `accuracy` a trial's.
    """

    flags: list[str]
    python: str
    versions: dict[str, str]
    devices: list[str]
    architectures: list[str] | None
    timings: dict[str, float]
    cpu_seconds: float
    peak_rss_bytes: int
    peak_device_bytes: int | None
    layers: list[LayerRow]
    settings: dict[str, Value]
    rungs: list[RungResult]
    lanes: Lanes
    tutorial_missing: str
    windows: dict[str, dict[str, list[float] | None]]
    accuracy: Accuracy
    cells: list[PilotFigures | PilotMiss]
    calibrations: list[Calibration]


class PhaseEvent(TypedDict):
    """The worker enters this phase."""

    event: Literal["phase"]
    phase: str


class EpochEvent(EpochFigures):
    """The worker has trained an epoch."""

    event: Literal["epoch"]


class TurnEvent(TypedDict):
    """The worker waits for its turn to be timed."""

    event: Literal["turn"]


class ResultEvent(TypedDict):
    """The worker has ended its job."""

    event: Literal["result"]
    result: Result


Progress: TypeAlias = PhaseEvent | EpochEvent
Event: TypeAlias = Progress | TurnEvent | ResultEvent
