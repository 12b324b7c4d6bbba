"""The first paragraph says what the verdicts say, and no more."""

import pytest

from bench.stats import Estimate
from reports.report import compose
from reports.results.report import Report
from reports.sections.headline import section, times
from tests.records import build_record, build_records, build_run, good, plan

BACKENDS = ("jax", "keras-tensorflow", "pytorch")


def first_lines(factors, *, rounds=12, seeds=(), backends=("keras-tensorflow", "pytorch")):
    """The headline of a run in which a backend's times are those of the fakes times its factor."""
    trials = plan(workloads=("mlp-512",), backends=backends, rounds=rounds, seeds=seeds)
    records = [slowed(trial, factors) for trial in trials]
    return "\n".join(section(Report(build_run(trials), records)))


def slowed(trial, factors):
    document = good(trial)
    factor = factors.get(trial.cell.backend)
    if trial.timing is None or factor is None:
        return build_record(trial)
    # all alike but for a little of the round: the factor alone tells two backends apart
    noise = 1 + 0.001 * ((5 * trial.round + len(trial.cell.backend)) % 7)
    lanes = document["lanes"]
    step, native = lanes["step"], lanes["native"]
    step["block_seconds"] = [0.032 * factor * noise] * 12
    native["slice_seconds"] = [0.1 * factor * noise] * len(native["slice_seconds"])
    return build_record(trial, lanes=lanes)


def test_the_faster_backend_by_how_much_and_how_sure():
    text = first_lines({"keras-tensorflow": 2.0, "pytorch": 1.0})
    assert "**On this machine** (" in text
    assert "- **mlp-512**, step: pytorch is about 2" in text
    assert "; native: pytorch is about 2" in text
    assert "n = 12) as fast as keras-tensorflow" in text
    assert "accuracy not compared" in text


def test_nothing_is_faster_without_a_verdict():
    text = first_lines({"keras-tensorflow": 1.0, "pytorch": 1.0})
    assert "as fast as" not in text
    assert "takes as long (within 3 %) as" in text


def test_too_few_rounds_tell_nothing_apart():
    text = first_lines({"keras-tensorflow": 2.0, "pytorch": 1.0}, rounds=4)
    assert "- **mlp-512**: no verdict, which takes 6 rounds or more of any two." in text
    assert "as fast as" not in text


def test_six_rounds_are_too_few_for_several_verdicts():
    text = first_lines({"keras-tensorflow": 2.0, "pytorch": 1.0}, rounds=6)
    assert "is not told apart from" in text
    assert "as fast as" not in text


def test_of_three_the_fastest_against_the_slowest_first():
    factors = {"keras-tensorflow": 2.0, "pytorch": 1.5, "jax": 1.0}
    text = first_lines(factors, backends=BACKENDS)
    assert "jax is about 2" in text
    assert "as fast as keras-tensorflow, also faster than pytorch" in text


@pytest.mark.parametrize(("seeds", "words"), [
    (range(10), "at equivalent accuracy"),
    ((0,), "whether at the same accuracy is not shown (1 seed)"),
])  # fmt: skip
def test_accuracy_is_said_as_its_own_verdict_says(seeds, words):
    trials = plan(workloads=("mlp-512",), rounds=12, seeds=seeds)
    records = [trained_to(trial, 0.98 + 1e-4 * (trial.seed % 5)) for trial in trials]
    assert words in "\n".join(section(Report(build_run(trials), records)))


def test_a_run_that_times_nothing_leads_with_accuracy_and_has_no_empty_speed_table():
    trials = plan(workloads=("mlp-512",), rounds=0, seeds=range(10))
    records = [trained_to(trial, 0.98 + 1e-4 * (trial.seed % 5)) for trial in trials]
    text = compose(Report(build_run(trials), records))
    assert "- **mlp-512**: pytorch and keras-tensorflow train to equivalent accuracy (98.02" in text
    assert "Nothing was to be timed" in text
    assert "### Speed" not in text
    assert "## Which is faster" not in text


def test_three_seeds_show_no_accuracy():
    trials = plan(workloads=("mlp-512",), rounds=0, seeds=range(3))
    text = compose(Report(build_run(trials), [trained_to(trial, 0.98) for trial in trials]))
    assert "whether pytorch and keras-tensorflow train to the same accuracy is not shown" in text


def trained_to(trial, test_accuracy):
    if trial.kind != "accuracy":
        return build_record(trial)
    measured = good(trial)["accuracy"]
    measured["final_test_accuracy"] = test_accuracy
    return build_record(trial, accuracy=measured)


def test_a_ratio_in_words():
    ratio = Estimate(value=2.112, low=1.92, high=2.31, n=10)
    assert times(ratio) == "about 2.11 times (1.92 to 2.31, n = 10)"


def test_a_smoke_run_has_no_headline():
    trials = plan(workloads=("mlp-512",), rounds=1)
    text = compose(Report(build_run(trials, profile="smoke"), build_records(trials)))
    assert "On this machine" not in text
