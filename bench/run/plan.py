"""From workloads, backends and a profile to trials, and what they will cost. Pure."""

import math
import random
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from itertools import chain
from typing import TypeVar

from bench.profiles import Profile
from bench.record.run import PilotFigures
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
    figures: Mapping[Cell, PilotFigures], profile: Profile, order_seed: int
) -> tuple[Trial, ...]:
    """Every trial of a run, in the order in which they run.

    Parity trials first; then rounds, each with one timing trial of every cell, the workloads and
    the cells of each in an order of its own drawn from `order_seed`; then the accuracy trials, once
    per cell and declared seed.
    """
    turns = (timing_round(figures, profile, order_seed, turn) for turn in range(profile.rounds))
    return (
        *parity_trials(figures, profile),
        *chain.from_iterable(turns),
        *accuracy_trials(figures, profile),
    )


def timing_round(
    figures: Mapping[Cell, PilotFigures], profile: Profile, order_seed: int, turn: int
) -> list[Trial]:
    """One timing trial of every cell, in the order that this round draws."""
    steps = native_steps(figures, profile)
    return [
        drawn(
            timing_trial(cell, profile, figures[cell], steps[shared_by(cell)], turn, position),
            order_seed,
        )
        for position, cell in enumerate(in_order(figures, lambda cell: cell, order_seed, turn))
    ]


def in_order(
    items: Iterable[Item], cell_of: Callable[[Item], Cell], order_seed: int, turn: int
) -> list[Item]:
    """The items in the order that this round draws; what is compared stays together."""
    groups: dict[tuple[str, str, int], list[Item]] = {}
    for item in items:
        groups.setdefault(shared_by(cell_of(item)), []).append(item)
    draw = random.Random(f"{order_seed} round {turn}")
    shuffled = draw.sample(list(groups.values()), k=len(groups))
    return [item for group in shuffled for item in draw.sample(group, k=len(group))]


def drawn(trial: Trial, order_seed: int) -> Trial:
    """The trial with a set-up of its own, the same for the same seed and name."""
    draw = random.Random(f"{order_seed} {trial.name}")
    setup = Setup(hash_seed=draw.randrange(2**32), padding_bytes=draw.randrange(MOST_PADDING_BYTES))
    return replace(trial, setup=setup)


def parity_trials(cells: Iterable[Cell], profile: Profile) -> list[Trial]:
    """For each cell one trial a precision."""
    return [
        Trial(kind="parity", cell=cell, seed=0, parity=for_cell(parity, cell))
        for cell in cells
        for parity in profile.parity
    ]


def for_cell(parity: ParityPlan, cell: Cell) -> ParityPlan:
    """In the cell's own precision, where that is another than float32; in float64 all are alike."""
    if parity.precision == "float32":
        parity = replace(parity, precision=cell.execution.precision)
    return shortened(parity, cell)


def shortened(parity: ParityPlan, cell: Cell) -> ParityPlan:
    workload = WORKLOADS[cell.workload]
    steps, twin_steps = parity.steps, parity.twin_steps
    if any(isinstance(layer, Conv2D) for layer in workload.layers):
        steps, twin_steps = min(steps, CONVOLUTIONAL_STEPS), 0
    # the oracle takes as long for as many images
    share = min(1.0, workload.batch_size / cell.execution.batch_size)
    return replace(parity, steps=math.ceil(share * steps), twin_steps=math.ceil(share * twin_steps))


def native_steps(
    figures: Mapping[Cell, PilotFigures], profile: Profile
) -> dict[tuple[str, str, int], int]:
    """Steps of the native slice: the same in every backend, enough for the fastest of them.

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
    cell: Cell, profile: Profile, pilot: PilotFigures, native: int, turn: int, position: int
) -> Trial:
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
    """As many rounds have them as an interval needs: the lane ranks nobody."""
    if turn >= profile.tutorial_rounds or cell.execution.many_steps:
        return 0
    return min(profile.tutorial_steps, TRAIN_IMAGES // cell.execution.batch_size)


def power_seconds(cell: Cell, profile: Profile, turn: int) -> float:
    """On a GPU, in as many rounds as an interval needs; a CPU's energy nobody may read."""
    if cell.execution.device == "cpu" or turn >= profile.power_rounds:
        return 0.0
    return profile.power_seconds


def latency_steps(cell: Cell, profile: Profile, pilot: PilotFigures) -> int:
    """The profile's seconds of single steps; all trials together make a 99th percentile."""
    if cell.execution.many_steps:
        return 0
    wanted = math.ceil(profile.latency_seconds / pilot.step_seconds)
    return min(max(wanted, FEWEST_LATENCY_STEPS), MOST_LATENCY_STEPS)


def accuracy_trials(cells: Iterable[Cell], profile: Profile) -> list[Trial]:
    """At the workload's own batch size alone: another one is another training."""
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
    published = WORKLOADS[cell.workload].epochs
    return AccuracyPlan(
        epochs=profile.epochs.get(cell.workload, published), train_images=profile.train_images
    )


def longer_plan(cell: Cell, profile: Profile) -> AccuracyPlan:
    return AccuracyPlan(
        epochs=profile.longer[cell.workload], train_images=profile.train_images, longer=True
    )
