"""A plan has every cell once per round, sizes that all backends share, and an estimate."""

import re
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.errors import UsageError
from bench.profiles import CERTIFICATE, PROFILES, Profile, select_profile
from bench.record import TrialModel
from bench.record.run import PilotModel
from bench.run.estimate import estimate_seconds, trial_seconds
from bench.run.plan import (
    CONVOLUTIONAL_STEPS,
    FEWEST_NATIVE_STEPS,
    accuracy_trials,
    expand,
    native_steps,
    parity_trials,
    shorten_parity,
)
from bench.spec import TRAIN_IMAGES, AccuracyPlan, Cell, Execution, ParityPlan, Trial
from bench.spec.pairing import shared_by
from bench.workloads import WORKLOADS


def cell_of(workload: str, backend: str, device: str = "cpu") -> Cell:
    batch_size = WORKLOADS[workload].batch_size
    execution = Execution(device=device, batch_size=batch_size)
    return Cell(workload=workload, backend=backend, execution=execution)


def seconds(least: float, most: float) -> st.SearchStrategy[float]:
    return st.floats(least, most, allow_nan=False)


CELLS = st.builds(
    cell_of,
    st.sampled_from(sorted(WORKLOADS)),
    st.sampled_from(["keras-tensorflow", "pytorch", "fake"]),
    st.sampled_from(["cpu", "cuda:0"]),
)
FIGURES = st.builds(
    PilotModel,
    cell=st.just("a cell"),
    setup_seconds=seconds(0.1, 100),
    step_seconds=seconds(1e-5, 1),
    steps_per_block=st.integers(1, 4096),
    native_step_seconds=seconds(1e-5, 1),
)
PILOTS = st.dictionaries(CELLS, FIGURES, min_size=1, max_size=8)
PARITY = st.builds(
    ParityPlan,
    precision=st.sampled_from(["float32", "float64"]),
    steps=st.integers(1, 600),
    twin_steps=st.integers(0, 600),
)
PROFILE = st.builds(
    Profile,
    name=st.just("any"),
    parity=st.lists(PARITY, max_size=2, unique_by=lambda plan: plan.precision).map(tuple),
    rounds=st.integers(0, 4),
    native_seconds=seconds(0, 5),
    tutorial_steps=st.integers(1, 2000),
    seeds=st.lists(st.integers(0, 99), max_size=3, unique=True).map(tuple),
    epochs=st.dictionaries(st.sampled_from(sorted(WORKLOADS)), st.integers(1, 50)),
    train_images=st.integers(1, TRAIN_IMAGES),
)
ORDER_SEEDS = st.integers(0, 2**32 - 1)
small = settings(max_examples=15)


@small
@given(pilot=PILOTS, profile=PROFILE, order_seed=ORDER_SEEDS)
def test_every_cell_is_timed_once_per_round_at_its_own_position(pilot, profile, order_seed):
    trials = expand(pilot, profile, order_seed)
    timed = [trial for trial in trials if trial.kind == "timing"]
    # rounds follow each other, and each counts its positions from 0
    assert [(trial.round, trial.position) for trial in timed] == [
        (turn, position) for turn in range(profile.rounds) for position in range(len(pilot))
    ]
    assert Counter((trial.round, trial.cell) for trial in timed) == {
        (turn, cell): 1 for turn in range(profile.rounds) for cell in pilot
    }
    assert all(trial.seed == trial.round and trial.accuracy is None for trial in timed)
    assert all(trial.timing.steps_per_block == pilot[trial.cell].steps_per_block for trial in timed)


@small
@given(pilot=PILOTS, profile=PROFILE, order_seed=ORDER_SEEDS)
def test_accuracy_trials_come_last_once_per_cell_and_seed(pilot, profile, order_seed):
    trials = expand(pilot, profile, order_seed)
    trained = [trial for trial in trials if trial.kind == "accuracy"]
    assert trials[len(trials) - len(trained) :] == tuple(trained)
    assert Counter((trial.seed, trial.cell) for trial in trained) == {
        (seed, cell): 1 for seed in profile.seeds for cell in pilot
    }
    for trial in trained:
        name = trial.cell.workload
        assert trial.accuracy.epochs == profile.epochs.get(name, WORKLOADS[name].epochs)
        assert trial.accuracy.train_images == profile.train_images
        assert (trial.round, trial.position, trial.timing) == (None, None, None)


def test_the_longer_training_of_full_has_its_own_name():
    cells = [cell_of(name, "pytorch") for name in ("mlp-512-256", "mlp-512")]
    trials = accuracy_trials(cells, PROFILES["full"])
    assert len(trials) == 2 * 10 + 1
    last = trials[-1]
    assert (last.cell, last.seed) == (cells[0], 0)
    assert last.accuracy == AccuracyPlan(epochs=50, longer=True)
    assert last.name == "accuracy-mlp-512-256_pytorch_cpu_default_float32_b128-e50-s0"
    assert len({trial.name for trial in trials}) == len(trials)


@small
@given(pilot=PILOTS, profile=PROFILE, order_seed=ORDER_SEEDS)
def test_parity_trials_come_first_once_per_cell_and_precision(pilot, profile, order_seed):
    trials = expand(pilot, profile, order_seed)
    count = len(pilot) * len(profile.parity)
    certified = trials[:count]
    assert {trial.kind for trial in trials[count:]} <= {"timing", "accuracy"}
    assert [(trial.cell, trial.parity.precision) for trial in certified] == [
        (cell, parity.precision) for cell in pilot for parity in profile.parity
    ]
    for trial in certified:
        assert (trial.kind, trial.seed, trial.timing, trial.accuracy) == ("parity", 0, None, None)
        assert (trial.round, trial.position) == (None, None)


@small
@given(pilot=PILOTS, profile=PROFILE)
def test_a_trial_is_the_same_after_writing_and_reading(pilot, profile):
    for trial in expand(pilot, profile, 0):
        text = TrialModel.of(trial).model_dump_json()
        assert TrialModel.model_validate_json(text).trial() == trial


@small
@given(pilot=PILOTS, profile=PROFILE)
def test_native_slices_are_the_same_in_every_backend_and_long_enough(pilot, profile):
    steps = native_steps(pilot, profile)
    for cell, figures in pilot.items():
        most = TRAIN_IMAGES // cell.execution.batch_size
        count = steps[shared_by(cell)]
        assert 1 <= count <= most
        assert count == most or (
            count >= FEWEST_NATIVE_STEPS
            and count * figures.native_step_seconds >= profile.native_seconds * (1 - 1e-9)
        )
    for trial in expand(pilot, profile, 0):
        if trial.timing is not None:
            most = TRAIN_IMAGES // trial.cell.execution.batch_size
            assert trial.timing.native_steps == steps[shared_by(trial.cell)]
            assert 1 <= trial.timing.tutorial_steps <= most


@small
@given(pilot=PILOTS, profile=PROFILE, order_seed=ORDER_SEEDS)
def test_the_estimate_is_positive_and_a_sum_over_trials(pilot, profile, order_seed):
    trials = expand(pilot, profile, order_seed)
    assert all(trial_seconds(trial, pilot[trial.cell]) > 0 for trial in trials)
    whole = estimate_seconds(trials, pilot)
    parts = estimate_seconds(trials[::2], pilot) + estimate_seconds(trials[1::2], pilot)
    assert whole == pytest.approx(parts)
    assert (whole > 0) == bool(trials)


@small
@given(pilot=PILOTS, profile=PROFILE, order_seed=ORDER_SEEDS)
def test_trials_have_names_that_are_unique_and_safe_for_files(pilot, profile, order_seed):
    names = [trial.name for trial in expand(pilot, profile, order_seed)]
    assert len({name.casefold() for name in names}) == len(names)
    assert all(re.fullmatch(r"[a-z][a-z0-9_-]{1,150}", name) for name in names)


FOUR = {
    cell_of(workload, backend): PilotModel(
        cell="a cell",
        setup_seconds=1.0,
        step_seconds=0.001,
        steps_per_block=128,
        native_step_seconds=0.002,
    )
    for workload in ("mlp-512", "cnn")
    for backend in ("pytorch", "keras-tensorflow")
}
TEN_ROUNDS = Profile(name="ten", rounds=10)


def test_the_seed_determines_the_order():
    assert expand(FOUR, TEN_ROUNDS, 7) == expand(FOUR, TEN_ROUNDS, 7)
    assert expand(FOUR, TEN_ROUNDS, 7) != expand(FOUR, TEN_ROUNDS, 8)


def test_rounds_have_different_orders():
    trials = expand(FOUR, TEN_ROUNDS, 7)
    orders = {tuple(trial.cell for trial in trials if trial.round == turn) for turn in range(10)}
    assert len(orders) > 5


def test_another_execution_has_another_name():
    (cell, *_) = FOUR
    plain = cell.execution
    executions = [
        plain,
        replace(plain, device="cuda:0"),
        replace(plain, device="cuda:10"),
        replace(plain, mode="graph"),
        replace(plain, precision="float64"),
        replace(plain, optimizer="stock"),
        replace(plain, threads=1),
        replace(plain, threads=12),
        replace(plain, batch_size=64),
    ]
    assert len({replace(cell, execution=other).label for other in executions}) == len(executions)


def test_native_steps_are_enough_for_the_fastest_backend():
    slow, fast = cell_of("mlp-512", "slow"), cell_of("mlp-512", "fast")
    pilot = {
        slow: PilotModel(cell="a cell", setup_seconds=1, step_seconds=1, steps_per_block=1,
                           native_step_seconds=1.0),
        fast: PilotModel(cell="a cell", setup_seconds=1, step_seconds=1, steps_per_block=1,
                           native_step_seconds=0.01),
    }  # fmt: skip
    profile = Profile(name="any", rounds=1, native_seconds=2.0)
    for order in (pilot, dict(reversed(pilot.items()))):
        assert native_steps(order, profile) == {("mlp-512", "cpu", 128): 200}
    at_least = replace(profile, native_seconds=0.0)
    assert native_steps(pilot, at_least) == {("mlp-512", "cpu", 128): FEWEST_NATIVE_STEPS}
    at_most = replace(profile, native_seconds=1000.0)
    assert native_steps(pilot, at_most) == {("mlp-512", "cpu", 128): 60_000 // 128}


def test_power_is_measured_on_a_gpu_in_as_many_rounds_as_an_interval_needs():
    (cell, *_) = FOUR
    on_gpu = replace(cell, execution=replace(cell.execution, device="cuda:0"))
    profile = Profile(name="any", rounds=8, parity=(), seeds=())
    figures = dict.fromkeys([cell, on_gpu], FOUR[cell])
    trials = expand(figures, profile, 0)
    powered = {(trial.cell, trial.round) for trial in trials if trial.timing.power_seconds}
    assert powered == {(on_gpu, turn) for turn in range(6)}
    (first, *_, last) = [trial for trial in trials if trial.cell == on_gpu]
    assert trial_seconds(first, FOUR[cell]) > trial_seconds(last, FOUR[cell]) + 10


def test_the_estimate_of_a_trial_counts_all_its_steps():
    (cell, *_) = FOUR
    profile = Profile(name="any", rounds=1, parity=CERTIFICATE[1:])
    parity, timing, accuracy = expand({cell: FOUR[cell]}, profile, 0)
    # 60 steps plus the steps of the plan, each at twice a step's 1 ms
    assert (parity.parity.steps, parity.parity.twin_steps) == (10, 300)
    assert trial_seconds(parity, FOUR[cell]) == pytest.approx(1 + 2 * 370 * 0.001)
    plan = timing.timing
    assert (plan.native_steps, plan.tutorial_steps) == (468, 50)
    assert plan.latency_steps == 300
    # at 1 ms: 1.5 windows of 10 blocks, 12 blocks and the canary's blocks, all of 128 steps, and
    # 300 single steps; at 2 ms: 468 native steps and a quarter more, and 100 of the tutorial
    expected = 1 + (15 + 12 + 3.75) * 0.128 + 0.3 + (468 * 1.25 + 100) * 0.002
    # each of 15 turns begins with a quarter of a block
    assert plan.run_up_steps == 32
    expected += 15 * 0.032
    assert trial_seconds(timing, FOUR[cell]) == pytest.approx(expected)
    # 5 epochs of 60,000 images; 9 times 10,000 and 60,000 images evaluated at a third of the time
    expected = 1 + (300_000 + 150_000 / 3) / 128 * 0.002
    assert trial_seconds(accuracy, FOUR[cell]) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("name", "workload", "plans"),
    [
        ("smoke", "mlp-512", [("float32", 10, 20)]),
        ("smoke", "cnn", [("float32", 10, 0)]),
        ("standard", "mlp-512", [("float64", 500, 0), ("float32", 10, 300)]),
        # a step of a convolutional oracle takes long, and a pool has kinks with any activation
        ("standard", "cnn", [("float64", 20, 0), ("float32", 10, 0)]),
        ("full", "mlp-512", [("float64", 500, 0), ("float32", 10, 300)]),
    ],
)
def test_a_profile_has_the_right_certificates(name, workload, plans):
    trials = parity_trials([cell_of(workload, "pytorch")], PROFILES[name])
    parities = [trial.parity for trial in trials]
    assert [(plan.precision, plan.steps, plan.twin_steps) for plan in parities] == plans


def test_a_long_convolutional_trajectory_is_shortened_and_a_short_trajectory_is_not():
    cnn = cell_of("cnn", "pytorch")
    for steps, remaining in ((CONVOLUTIONAL_STEPS + 1, CONVOLUTIONAL_STEPS), (3, 3)):
        parity = ParityPlan(precision="float64", steps=steps)
        assert shorten_parity(parity, cnn) == replace(parity, steps=remaining)


def test_a_parity_trials_name_has_the_precision():
    cell = cell_of("mlp-512", "pytorch")
    exact, single = parity_trials([cell], PROFILES["standard"])
    assert exact.name == "parity-mlp-512_pytorch_cpu_default_float32_b128-float64-s0"
    assert single.name == "parity-mlp-512_pytorch_cpu_default_float32_b128-float32-s0"
    timing = Trial(kind="timing", cell=cell, seed=2, round=2)
    assert timing.name == "timing-mlp-512_pytorch_cpu_default_float32_b128-r02-s2"


@pytest.mark.parametrize("name", PROFILES)
def test_a_known_profile_is_selected(name):
    assert select_profile(name) is PROFILES[name]


@pytest.mark.parametrize("name", ["", "quick", "Smoke", "smoke "])
def test_an_unknown_profile_is_refused_with_the_known_profiles(name):
    with pytest.raises(UsageError, match="smoke, standard, full") as caught:
        select_profile(name)
    assert f"Received: {name!r}" in str(caught.value)


def test_profiles_name_only_workloads_that_exist():
    for profile in PROFILES.values():
        assert profile.epochs.keys() <= WORKLOADS.keys()
        assert 0 < profile.train_images <= TRAIN_IMAGES
        assert len(set(profile.seeds)) == len(profile.seeds) > 0
