"""A trial and what it does: its parity, timing or accuracy plan."""

from dataclasses import dataclass
from typing import Literal

from bench.spec.execution import Cell, Precision
from bench.spec.workload import TRAIN_IMAGES

TrialKind = Literal["parity", "timing", "accuracy"]
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


@dataclass(frozen=True, slots=True, kw_only=True)
class ParityPlan:
    """What a parity trial checks: the rungs of one precision, in a process of its own.

    `steps` is the length of the trajectory, `twin_steps` that of its tanh twin; 0 means no twin.
    """

    precision: Precision
    steps: int
    twin_steps: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TimingPlan:
    """How long a timing trial measures, in steps, blocks and seconds; all fixed before it starts.

    `run_up_steps` begin each turn and are not timed: after the turns of other trials, caches are
    cold. `power_seconds` is how long steps run while the energy of a GPU is counted; 0 means not at
    all. `steps_per_call` is the number of steps per call of the train step: 1 except in the mode
    `epoch`; it divides `steps_per_block`. `cold`: the compile cache is empty, if the mode has one.

    `steps_per_block` and `native_steps` come from the pilot, so that they are the same in every
    trial of a cell; `native_steps` is also the same in every backend of a workload.
    """

    window_blocks: int
    blocks: int
    steps_per_block: int
    native_steps: int
    native_slices: int
    tutorial_steps: int
    latency_steps: int = 0
    run_up_steps: int = 0
    power_seconds: float = 0.0
    steps_per_call: int = 1
    cold: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AccuracyPlan:
    """How long an accuracy trial trains: epochs over the first `train_images` images.

    `longer` marks a training in addition to the workload's own, to see the effect of more epochs.
    """

    epochs: int
    train_images: int = TRAIN_IMAGES
    longer: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """Uncontrolled influences on times, drawn again for each trial.

    They are the seed of Python's string hashes, and bytes added to the environment, which shift the
    stack (Mytkowicz et al. 2009, "Producing wrong data without doing anything obviously wrong").
    """

    hash_seed: int
    padding_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One fresh process that does one thing for one cell.

    `round` and `position` (in the round) are None in a trial that belongs to no round. `attempt`
    counts from 0 and is 1 if a disturbed trial is run once more. Of the three plans a trial has the
    one of its kind; a trial of a cell that failed in the pilot has none.
    """

    kind: TrialKind
    cell: Cell
    seed: int
    round: int | None = None
    position: int | None = None
    attempt: int = 0
    setup: Setup | None = None
    parity: ParityPlan | None = None
    timing: TimingPlan | None = None
    accuracy: AccuracyPlan | None = None

    @property
    def name(self) -> str:
        """Return the record's file name without `.json`."""
        turn = "" if self.round is None else f"-r{self.round:02d}"
        precision = "" if self.parity is None else f"-{self.parity.precision}"
        longer = self.accuracy if self.accuracy is not None and self.accuracy.longer else None
        epochs = "" if longer is None else f"-e{longer.epochs}"
        attempt = f"-a{self.attempt}" if self.attempt else ""
        return f"{self.kind}-{self.cell.label}{precision}{epochs}{turn}-s{self.seed}{attempt}"
