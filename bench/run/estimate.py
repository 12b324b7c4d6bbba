"""Estimate the seconds that trials will take, from what the pilot measured."""

from collections.abc import Mapping, Sequence

from bench.record.run import PilotModel
from bench.spec import (
    Cell,
    ParityPlan,
    TimingPlan,
    Trial,
)

# five pairs of a quarter and half a block
CANARY_BLOCKS = 3.75


def estimate_seconds(trials: Sequence[Trial], figures: Mapping[Cell, PilotModel]) -> float:
    """Return the seconds that these trials will take on the machine of the pilot."""
    return sum(trial_seconds(trial, figures[trial.cell]) for trial in trials)


def trial_seconds(trial: Trial, pilot: PilotModel) -> float:
    """Return the seconds that a trial will take, from spawn to the end of its process."""
    return (
        pilot.setup_seconds
        + programs(trial) * pilot.compile_seconds
        + parity_seconds(trial.parity, pilot)
        + timing_seconds(trial.timing, pilot)
        + accuracy_seconds(trial, pilot)
    )


def programs(trial: Trial) -> float:
    """Return how many programs a trial compiles: one per variant and batch size.

    A primed cache saves three quarters of them.
    """
    compiled = {"parity": 8.0, "timing": 3.0, "accuracy": 2.0}[trial.kind]
    primed = trial.cell.execution.mode != "default" and not (trial.timing and trial.timing.cold)
    return compiled / 4 if primed and trial.kind != "parity" else compiled


def parity_seconds(plan: ParityPlan | None, pilot: PilotModel) -> float:
    """Return the seconds of a certificate.

    The rungs without a trajectory take about 60 steps, and a lone step twice its time in a loop.
    """
    if plan is None:
        return 0.0
    return 2 * (60 + plan.steps + plan.twin_steps) * pilot.step_seconds


def timing_seconds(plan: TimingPlan | None, pilot: PilotModel) -> float:
    """Return the seconds of the timed lanes.

    Warm-up takes about one and a half windows, the canary four blocks. A newcomer's pipeline
    doubles a native step.
    """
    if plan is None:
        return 0.0
    block = plan.steps_per_block * pilot.step_seconds
    native = plan.native_steps * (1 + 1 / 4) * plan.native_slices
    turns = plan.blocks + 1 + 2 * plan.native_slices
    return (
        (1.5 * plan.window_blocks + plan.blocks + CANARY_BLOCKS) * block
        + (plan.latency_steps + turns * plan.run_up_steps) * pilot.step_seconds
        + native * pilot.native_step_seconds
        + 2 * plan.tutorial_steps * pilot.native_step_seconds
        + plan.power_seconds
    )


def accuracy_seconds(trial: Trial, pilot: PilotModel) -> float:
    """Return the seconds of training and evaluations, a third as long per image."""
    if trial.accuracy is None:
        return 0.0
    batch = trial.cell.execution.batch_size
    trained = trial.accuracy.epochs * trial.accuracy.train_images
    evaluated = 10_000 * (trial.accuracy.epochs + 4) + trial.accuracy.train_images
    return (trained + evaluated / 3) / batch * pilot.native_step_seconds
