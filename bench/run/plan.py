"""Plan the trials of a run from pilot figures and a profile. Pure."""

import math
import random
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from itertools import chain
from typing import TypeVar

from bench.profiles import Profile
from bench.record.run import PilotModel
from bench.spec import (
    TRAIN_IMAGES,
    AccuracyPlan,
    Cell,
    Conv2D,
    ParityPlan,
    Setup,
    TimingPlan,
    Trial,
)
from bench.spec.pairing import shared_by
from bench.workloads import WORKLOADS

# a step of a convolutional oracle takes 20 times as long
CONVOLUTIONAL_STEPS = 20


Item = TypeVar("Item")

FEWEST_NATIVE_STEPS = 100
FEWEST_LATENCY_STEPS = 30
MOST_LATENCY_STEPS = 1_000
MOST_PADDING_BYTES = 4_096
# the first four steps of a turn were up to twice as slow as the others, on two cores; a quarter of
# a block is well over that
RUN_UP_BLOCKS = 0.25


def expand(
    figures: Mapping[Cell, PilotModel], profile: Profile, order_seed: int
) -> tuple[Trial, ...]:
    """Return every trial of a run, in the order in which they run.

    Parity trials first; then rounds, each with one timing trial per cell, in an order that is
    drawn from `order_seed`; then the accuracy trials, once per cell and declared seed.
    """
    turns = (timing_round(figures, profile, order_seed, turn) for turn in range(profile.rounds))
    return (
        *parity_trials(figures, profile),
        *chain.from_iterable(turns),
        *accuracy_trials(figures, profile),
    )


def timing_round(
    figures: Mapping[Cell, PilotModel], profile: Profile, order_seed: int, turn: int
) -> list[Trial]:
    """Return one timing trial per cell, in the order that this round draws."""
    steps = native_steps(figures, profile)
    return [
        draw_setup(
            timing_trial(cell, profile, figures[cell], steps[shared_by(cell)], turn, position),
            order_seed,
        )
        for position, cell in enumerate(shuffle(figures, lambda cell: cell, order_seed, turn))
    ]


def shuffle(
    items: Iterable[Item], cell_of: Callable[[Item], Cell], order_seed: int, turn: int
) -> list[Item]:
    """Return the items in the order that this round draws; what is compared stays together."""
    groups: dict[tuple[str, str, int], list[Item]] = {}
    for item in items:
        groups.setdefault(shared_by(cell_of(item)), []).append(item)
    draw = random.Random(f"{order_seed} round {turn}")
    shuffled = draw.sample(list(groups.values()), k=len(groups))
    return [item for group in shuffled for item in draw.sample(group, k=len(group))]


def draw_setup(trial: Trial, order_seed: int) -> Trial:
    """Return the trial with a set-up drawn for it, the same for the same seed and name."""
    draw = random.Random(f"{order_seed} {trial.name}")
    setup = Setup(hash_seed=draw.randrange(2**32), padding_bytes=draw.randrange(MOST_PADDING_BYTES))
    return replace(trial, setup=setup)


def parity_trials(cells: Iterable[Cell], profile: Profile) -> list[Trial]:
    """Return one trial per cell and precision."""
    return [
        Trial(kind="parity", cell=cell, seed=0, parity=fit_parity(parity, cell))
        for cell in cells
        for parity in profile.parity
    ]


def fit_parity(parity: ParityPlan, cell: Cell) -> ParityPlan:
    """Return the plan in the cell's own precision and length; float64 stays float64."""
    if parity.precision == "float32":
        parity = replace(parity, precision=cell.execution.precision)
    return shorten_parity(parity, cell)


def shorten_parity(parity: ParityPlan, cell: Cell) -> ParityPlan:
    """Return the plan with as few steps as the oracle can afford for this cell."""
    workload = WORKLOADS[cell.workload]
    steps, twin_steps = parity.steps, parity.twin_steps
    if any(isinstance(layer, Conv2D) for layer in workload.layers):
        steps, twin_steps = min(steps, CONVOLUTIONAL_STEPS), 0
    # the oracle takes as long for as many images
    share = min(1.0, workload.batch_size / cell.execution.batch_size)
    return replace(parity, steps=math.ceil(share * steps), twin_steps=math.ceil(share * twin_steps))


def native_steps(
    figures: Mapping[Cell, PilotModel], profile: Profile
) -> dict[tuple[str, str, int], int]:
    """Return the steps of the native slice: equal in all backends, enough for the fastest.

    At least 100 steps and the profile's seconds, at most the whole batches of an epoch.
    """
    steps: dict[tuple[str, str, int], int] = {}
    for cell, pilot in figures.items():
        wanted = math.ceil(profile.native_seconds / pilot.native_step_seconds)
        most = TRAIN_IMAGES // cell.execution.batch_size
        enough = min(max(wanted, FEWEST_NATIVE_STEPS), most)
        steps[shared_by(cell)] = max(enough, steps.get(shared_by(cell), 1))
    return steps


def timing_trial(
    cell: Cell, profile: Profile, pilot: PilotModel, native: int, turn: int, position: int
) -> Trial:
    """Return the timing trial of a cell in round `turn`, at `position` of the round."""
    return Trial(
        kind="timing",
        cell=cell,
        seed=turn,
        round=turn,
        position=position,
        timing=TimingPlan(
            window_blocks=profile.window_blocks,
            blocks=profile.blocks,
            steps_per_block=pilot.steps_per_block,
            steps_per_call=pilot.steps_per_call,
            cold=turn < profile.cold_rounds and cell.execution.mode != "default",
            native_steps=native,
            native_slices=profile.native_slices,
            tutorial_steps=tutorial_steps(cell, profile, turn),
            latency_steps=latency_steps(cell, profile, pilot),
            run_up_steps=math.ceil(RUN_UP_BLOCKS * pilot.steps_per_block),
            power_seconds=power_seconds(cell, profile, turn),
        ),
    )


def tutorial_steps(cell: Cell, profile: Profile, turn: int) -> int:
    """Return the steps of the tutorial lane.

    Timed in the first rounds only: enough for an interval, and never ranked.
    """
    if turn >= profile.tutorial_rounds or cell.execution.many_steps:
        return 0
    return min(profile.tutorial_steps, TRAIN_IMAGES // cell.execution.batch_size)


def power_seconds(cell: Cell, profile: Profile, turn: int) -> float:
    """Return the seconds of the power lane.

    On a GPU, in as many rounds as an interval needs; a CPU's energy needs root to read.
    """
    if cell.execution.device == "cpu" or turn >= profile.power_rounds:
        return 0.0
    return profile.power_seconds


def latency_steps(cell: Cell, profile: Profile, pilot: PilotModel) -> int:
    """Return as many single steps as fill the profile's seconds.

    All trials together make a 99th percentile.
    """
    if cell.execution.many_steps:
        return 0
    wanted = math.ceil(profile.latency_seconds / pilot.step_seconds)
    return min(max(wanted, FEWEST_LATENCY_STEPS), MOST_LATENCY_STEPS)


def accuracy_trials(cells: Iterable[Cell], profile: Profile) -> list[Trial]:
    """Return the trainings, at the workload's own batch size: another size is another training."""
    own = [
        cell for cell in cells if cell.execution.batch_size == WORKLOADS[cell.workload].batch_size
    ]
    return [
        *(
            Trial(kind="accuracy", cell=cell, seed=seed, accuracy=accuracy_plan(cell, profile))
            for seed in profile.seeds
            for cell in own
        ),
        *(
            Trial(kind="accuracy", cell=cell, seed=seed, accuracy=longer_plan(cell, profile))
            for seed in profile.seeds[:1]
            for cell in own
            if cell.workload in profile.longer
        ),
    ]


def accuracy_plan(cell: Cell, profile: Profile) -> AccuracyPlan:
    """Return the profile's epochs for the cell's workload, or the published ones."""
    published = WORKLOADS[cell.workload].epochs
    return AccuracyPlan(
        epochs=profile.epochs.get(cell.workload, published), train_images=profile.train_images
    )


def longer_plan(cell: Cell, profile: Profile) -> AccuracyPlan:
    """Return the training of more epochs than the workload publishes."""
    return AccuracyPlan(
        epochs=profile.longer[cell.workload], train_images=profile.train_images, longer=True
    )
