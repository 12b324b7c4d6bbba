"""A run of several modes, with fakes that compile: caches, calls of many steps, missing modes."""

import sys
from dataclasses import replace

import pytest

from backends import Place
from bench import mnist
from bench.cli import options, run
from bench.errors import UsageError
from bench.profiles import Profile
from bench.record.quantities import cold_compile_seconds, primed_compile_seconds
from bench.record.stored import read_records
from bench.run import carry_out, process
from bench.run.plan import accuracy_trials, fit_parity
from bench.run.request import Request
from bench.spec import MODES, Cell, Execution, ParityPlan
from bench.workloads import CNN, MLP_512
from reports import report
from tests.bench.run.test_runner import FAKES, TINY, NotingDisplay
from tests.fakes.adapter import COMPILE_SECONDS, STEP_SECONDS

NAME = "fake-compiling"
PLACE = Place(adapter="fakes.adapter", environment="none", cache_variable="FAKE_CACHE")


@pytest.fixture(scope="module")
def result(data: mnist.Mnist, tmp_path_factory: pytest.TempPathFactory):
    """Return a run, its folder, and its records by kind, mode and round."""
    folder = tmp_path_factory.mktemp("modes") / "run"
    request = Request(
        workloads=[MLP_512],
        backends=[NAME],
        devices=["cpu"],
        profile=replace(TINY, rounds=2, cold_rounds=1, seeds=(), parity=()),
        interpreters={NAME: sys.executable},
        places={NAME: PLACE},
        packages=[FAKES],
        modes=("default", "compiled", "epoch"),
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mnist, "load", lambda: data)
        patch.setattr(process, "LEAVE_SECONDS", 0.05)
        patch.setattr(report, "FIGURES", ())
        run = carry_out.run_trials(request, folder, None, NotingDisplay())
    records = {
        (record.trial.kind, record.trial.execution.mode, record.trial.round): record
        for record in read_records(folder, run)
    }
    return run, folder, records


def timing_record(result, mode: str, number: int):
    return result[2]["timing", mode, number]


def test_the_cache_is_cold_in_the_cold_round_primed_later_and_none_in_the_default_mode(result):
    states = {
        (mode, number): timing_record(result, mode, number).settings.effective["compile_cache"]
        for mode in ("default", "compiled", "epoch")
        for number in (0, 1)
    }
    assert states == {
        ("default", 0): "none", ("default", 1): "none",
        ("compiled", 0): "cold", ("compiled", 1): "primed",
        ("epoch", 0): "cold", ("epoch", 1): "primed",
    }  # fmt: skip
    assert (result[1] / "caches" / NAME / "program").exists()


def test_compile_time_is_what_the_first_step_took_beyond_a_steady_one(result):
    cold = cold_compile_seconds(timing_record(result, "compiled", 0))
    primed = primed_compile_seconds(timing_record(result, "compiled", 1))
    # a sleep may be longer than requested, not shorter; a steady step takes no real time
    assert cold > COMPILE_SECONDS - 2 * STEP_SECONDS
    assert COMPILE_SECONDS / 4 - 2 * STEP_SECONDS < primed < cold


def test_a_call_of_many_steps_is_timed_per_step(result):
    plan, lane = (
        timing_record(result, "epoch", 1).trial.timing,
        timing_record(result, "epoch", 1).lanes,
    )
    assert plan.steps_per_call == 16
    assert plan.steps_per_block == 64
    assert lane.step.block_seconds == [64 * STEP_SECONDS] * 2
    assert lane.canary.steps == 16
    assert (lane.latency, lane.tutorial) == (None, None)
    assert timing_record(result, "compiled", 1).trial.timing.steps_per_call == 1


def cells(**selection: object) -> list[Cell]:
    request = Request(
        workloads=[MLP_512, CNN], backends=["b"], devices=["cpu"],
        profile=Profile(name="any", rounds=1), interpreters={}, places={}, **selection,
    )  # fmt: skip
    return request.cells("b", "cpu")


def test_a_request_has_a_cell_for_every_combination():
    selection = {
        "modes": ("default", "epoch"), "precisions": ("float32", "bfloat16"),
        "optimizers": ("matched", "stock"), "batch_sizes": (32, 64, 128),
    }  # fmt: skip
    combined = cells(**selection)
    assert len({cell.label for cell in combined}) == len(combined) == 2 * 2 * 2 * 2 * 3
    plain = [(cell.workload, cell.execution) for cell in cells()]
    assert plain == [
        ("mlp-512", Execution(device="cpu", batch_size=128)),
        ("cnn", Execution(device="cpu", batch_size=32)),
    ]


def test_another_batch_size_is_timed_and_certified_and_not_trained_to_the_end():
    profile = Profile(name="any", rounds=1, epochs={"mlp-512": 1, "cnn": 1})
    sweep = cells(batch_sizes=(32, 128, 1024))
    trained = {(trial.cell.workload, trial.cell.execution.batch_size)
               for trial in accuracy_trials(sweep, profile)}  # fmt: skip
    assert trained == {("mlp-512", 128), ("cnn", 32)}
    large = next(cell for cell in sweep if cell.execution.batch_size == 1024)
    exact = fit_parity(ParityPlan(precision="float64", steps=500), large)
    # each step has eight times as many images
    assert exact.steps == 63


def test_a_certificate_is_in_the_precision_that_is_measured():
    half = next(iter(cells(precisions=("bfloat16",))))
    plans = [ParityPlan(precision="float64", steps=9), ParityPlan(precision="float32", steps=9)]
    assert [fit_parity(plan, half).precision for plan in plans] == ["float64", "bfloat16"]


@pytest.mark.parametrize(
    ("names", "expected"),
    [([], ("default",)), (["all"], MODES), (["epoch", "compiled", "epoch"], ("epoch", "compiled"))],
)
def test_modes_are_selected_by_name(names, expected):
    assert options.select_modes(names) == expected


@pytest.mark.parametrize(
    ("select", "message"),
    [
        (lambda: options.select_modes(["jit"]), "unknown mode. Expected: one of default"),
        (lambda: options.select_batch_sizes(["0"]), "batch size. Expected: 1 to 60000"),
        (lambda: options.select_batch_sizes(["60001"]), "Received: '60001'"),
        (lambda: options.select_batch_sizes(["many"]), "Received: 'many'"),
    ],
)
def test_a_wrong_selection_is_refused_with_what_is_expected(select, message):
    with pytest.raises(UsageError, match=message):
        select()


def test_batch_sizes_are_sorted_and_without_repeats():
    assert options.select_batch_sizes(["512", "32", "512"]) == (32, 512)


def test_all_modes_means_every_mode_that_a_backend_has(result):
    run, _, _ = result
    assert carry_out.excuses(run, named=True) == set()
    planned = [
        trial.model_copy(update={"execution": trial.execution.model_copy(update={"mode": mode})})
        for trial, mode in zip(run.trials, MODES, strict=False)
    ]
    whole = run.model_copy(update={"trials": planned})
    assert carry_out.excuses(whole, named=True) == {"unsupported"}
    assert carry_out.excuses(whole, named=False) == {"unsupported", "unavailable"}


def test_a_run_may_have_no_seeds():
    profile = Profile(name="any", rounds=3, seeds=(0, 1))
    assert run.adjust(profile, None, ["none"]).seeds == ()
    assert run.adjust(profile, None, ["4"]).seeds == (4,)
