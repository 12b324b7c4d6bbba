"""The first paragraph is no stronger than the verdicts."""

import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.profiles import CERTIFICATE
from bench.stats import Verdict
from reports.report import pages
from reports.results.names import framework
from reports.results.report import Report
from reports.results.standings import mean_speedup
from reports.sections.headline import section, sentences
from tests.records import build_record, build_records, build_run, failed_record, good, plan
from tests.reports.tables_of import compose
from tests.strategies import any_run, some

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


def test_the_faster_framework_by_how_much_and_how_sure():
    text = first_lines({"keras-tensorflow": 2.0, "pytorch": 1.0})
    assert text.startswith("PyTorch trains 2.00x (")
    assert ") as fast as Keras on TensorFlow on mlp-512. Accuracy was not compared: nothing" in text


def test_equal_frameworks_are_called_the_same():
    text = first_lines({"keras-tensorflow": 1.0, "pytorch": 1.0})
    assert "No framework is clearly faster than Keras on TensorFlow on mlp-512" in text
    assert "PyTorch 1.00x (the same)." in text


def test_with_too_few_rounds_the_values_are_preliminary():
    text = first_lines({"keras-tensorflow": 2.0, "pytorch": 1.0}, rounds=4)
    assert text.startswith(
        "Preliminary, 4 good rounds instead of the 6 of a verdict: against Keras on TensorFlow"
    )
    assert "PyTorch 2.00x as fast" in text


def test_a_preliminary_headline_names_the_frameworks_that_lack_rounds():
    trials = plan(workloads=("mlp-512",), backends=BACKENDS, rounds=6, seeds=())
    factors = {"keras-tensorflow": 2.0, "pytorch": 1.5, "jax": 1.0}
    records = [
        slowed(trial, factors) for trial in trials if trial.cell.backend != "jax" or trial.round < 5
    ]
    said = sentences(Report(build_run(trials), records))
    assert said[0].startswith("Preliminary, 5 good rounds of JAX instead of the 6 of a verdict: ")


@pytest.mark.parametrize("networks", [("mlp-512",), ("mlp-512", "cnn")])
@pytest.mark.parametrize(("jax", "close"), [(1.001, True), (1.2, False)])
def test_the_fastest_is_not_called_faster_than_its_equal(networks, jax, close):
    trials = plan(workloads=networks, backends=BACKENDS, rounds=8, seeds=())
    factors = {"keras-tensorflow": 2.0, "pytorch": 1.0, "jax": jax}
    said = sentences(Report(build_run(trials), [slowed(trial, factors) for trial in trials]))
    assert said[0].startswith("PyTorch trains 2.00x (")
    assert (", not clearly faster than JAX " in said[0]) == close
    assert ("; JAX 1.6" in said[0]) != close


def test_another_mode_with_a_shorter_median_is_named():
    trials = plan(workloads=("mlp-512",), rounds=6, seeds=())
    others = [
        replace(trial, cell=trial.cell.but(mode="compiled"))
        for trial in trials
        if trial.cell.backend == "pytorch"
    ]
    records = [
        *(slowed(trial, {"keras-tensorflow": 2.0, "pytorch": 1.5}) for trial in trials),
        *(slowed(trial, {"pytorch": 1.0}) for trial in others),
    ]
    assert sentences(Report(build_run([*trials, *others]), records))[1] == (
        "The shortest median of all modes is that of PyTorch (cpu, compiled) on mlp-512; "
        "no verdict compares all modes."
    )
    slower = [
        *(slowed(trial, {"keras-tensorflow": 2.0, "pytorch": 1.5}) for trial in trials),
        *(slowed(trial, {"pytorch": 1.6}) for trial in others),
    ]
    report = Report(build_run([*trials, *others]), slower)
    assert not any("modes" in sentence for sentence in sentences(report))


def test_the_fastest_comes_first():
    factors = {"keras-tensorflow": 2.0, "pytorch": 1.5, "jax": 1.0}
    text = first_lines(factors, backends=BACKENDS)
    assert re.match(r"JAX trains 2\.00x \(.*; PyTorch 1\.3\d+x\. ", text)


def test_a_workload_on_which_the_order_is_the_opposite_is_named():
    trials = plan(workloads=("mlp-512", "cnn"), rounds=12, seeds=())
    factors = {"mlp-512": 0.2, "cnn": 1.5}
    records = [
        slowed(trial, {"keras-tensorflow": 1.0, "pytorch": factors[trial.cell.workload]})
        for trial in trials
    ]
    text = "\n".join(section(Report(build_run(trials), records)))
    assert "as fast as Keras on TensorFlow on 2 networks (geometric mean)." in text
    assert re.search(r"But PyTorch \(0\.66\dx\) is slower on cnn\.", text)


@pytest.mark.parametrize(("seeds", "words"), [
    (range(10), "Equivalent accuracy was shown in 1 of 1 comparison (PyTorch 98.02 % and"),
    ((0,), "Accuracy was not compared: only 1 seed was trained, 10 are needed."),
    (range(3), "Accuracy was not compared: only 3 seeds were trained, 10 are needed."),
])  # fmt: skip
@pytest.mark.parametrize("rounds", [0, 12])
def test_accuracy_is_said_as_its_own_verdict_says(seeds, words, rounds):
    trials = plan(workloads=("mlp-512",), rounds=rounds, seeds=seeds)
    records = [trained_to(trial, 0.98 + 1e-4 * (trial.seed % 5)) for trial in trials]
    text = compose(Report(build_run(trials), records))
    assert words in text
    assert ("Speed of a full training loop" in text) == (rounds > 0)


def test_a_run_of_parity_alone_says_how_much_passed():
    trials = plan(workloads=("mlp-512",), rounds=0, seeds=(), parity=CERTIFICATE)
    text = "\n".join(section(Report(build_run(trials), build_records(trials))))
    assert text == "Nothing was timed: 4 of 4 parity checks passed."


def test_a_run_without_a_good_trial_says_that_nothing_was_measured():
    trials = plan(workloads=("mlp-512",), rounds=1, seeds=())
    records = [failed_record(trial, "unavailable", "not installed") for trial in trials]
    report = Report(build_run(trials), records)
    assert sentences(report) == ["Nothing was measured: no framework is available."]
    killed = [failed_record(trial, "killed", "a reason") for trial in trials]
    assert sentences(Report(build_run(trials), killed)) == [
        "Nothing was measured: no trial ended well."
    ]
    assert sentences(Report(build_run(trials), [])) == [
        "Nothing was measured: no trial ended well."
    ]
    assert "Which is faster" not in pages(report)["report.md"]


def test_other_modes_and_unsteady_trials_are_not_compared():
    trials = plan(workloads=("mlp-512",), rounds=6, seeds=())
    unsteady = [build_record(trial, flags=["no_steady_state"]) for trial in trials]
    assert sentences(Report(build_run(trials), unsteady))[0] == (
        "Nothing can be compared: no timing trial was steady."
    )
    compiled = [replace(trial, cell=trial.cell.but(mode="compiled")) for trial in trials]
    assert sentences(Report(build_run(compiled), build_records(compiled)))[0] == (
        "No framework was timed in its default mode; the details have the other modes."
    )


def test_a_framework_alone_has_nothing_to_be_compared_with():
    text = first_lines({"pytorch": 1.0}, backends=("pytorch",))
    assert text.startswith("Only PyTorch was timed on mlp-512")


@some(5)
@given(any_run())
def test_any_run_has_a_headline(drawn):
    assert_no_claim_is_exceeded(Report(*drawn))


FACTORS = st.sampled_from([0.2, 0.9, 0.97, 1.0, 1.02, 1.3, 5.0])


@some(15)
@given(st.data(), st.integers(5, 9))
def test_no_sentence_is_stronger_than_its_claims(data, rounds):
    workloads = data.draw(st.sampled_from([("mlp-512",), ("mlp-512", "cnn", "mlp-1000")]))
    trials = plan(workloads=workloads, backends=BACKENDS, rounds=rounds, seeds=())
    factors = {(one, name): data.draw(FACTORS) for one in workloads for name in BACKENDS}
    noise = np.random.default_rng(data.draw(st.integers(0, 99)))
    records = []
    for trial in trials:
        backend = trial.cell.backend
        factor = factors[trial.cell.workload, backend] * noise.lognormal(0, 0.02)
        records.append(slowed(trial, {backend: factor}))
    assert_no_claim_is_exceeded(Report(build_run(trials), records))


def assert_no_claim_is_exceeded(report):
    said = sentences(report)
    assert 1 <= len(said) <= 4
    by_device = {one.device: one for one in report.standings}
    for sentence in said:
        device, _, rest = sentence.removeprefix("On ").partition(": ")
        if device in by_device:
            assert_no_stronger(rest, by_device[device])
        elif by_device:
            assert_no_stronger(sentence, next(iter(by_device.values())))


def assert_no_stronger(sentence, standings):
    """Compare a sentence on speed with the standings that it is about."""
    leader = re.match(r"(.*) trains ([\d.,]+)x \(([\d.,]+) to ", sentence)
    if leader:
        means = {framework(mean.backend): mean for mean in standings.means}
        fastest = means[leader[1]]
        most = max(len(mean.workloads) for mean in means.values())
        values = [mean.speedup.value for mean in means.values() if len(mean.workloads) == most]
        assert fastest.speedup.value == max(values) > 1
        assert fastest.speedup.low > 1
        own = {
            one.verdict for one in standings.cells if one.results.cell.backend == fastest.backend
        }
        assert len(fastest.workloads) > 1 or own == {Verdict.FASTER}
        assert_leads(sentence, fastest, standings)
    opposite = r"(?:But|and) (.*?) (?:is|are) (slower|faster) on ([\w-]+)"
    for names, verdict, workload in re.findall(opposite, sentence):
        for name in re.findall(r"(?:^|, | and )([A-Z][\w ]*?) \(", names):
            verdicts = [
                one.verdict
                for one in standings.of_workload(workload)
                if framework(one.results.cell.backend) == name
            ]
            assert verdicts == [verdict.upper()]


def assert_leads(sentence, fastest, standings):
    """Compare the fastest with the others that the sentence does not call its equals."""
    equals = re.search(r"not clearly faster than (.*?)(?:;|\.$)", sentence)
    for mean in standings.means:
        if mean is fastest or mean.workloads != fastest.workloads:
            continue
        own, other = (
            [one.results for one in standings.cells if one.results.cell.backend == name]
            for name in (fastest.backend, mean.backend)
        )
        lead = mean_speedup(fastest.backend, own, {one.cell.workload: one for one in other})
        if lead is None or not lead.speedup.excludes(1):
            assert equals, sentence
            assert f"{framework(mean.backend)} " in equals[1]


def trained_to(trial, test_accuracy):
    if trial.kind != "accuracy":
        return build_record(trial)
    measured = good(trial)["accuracy"]
    measured["final_test_accuracy"] = test_accuracy
    return build_record(trial, accuracy=measured)


def test_a_smoke_run_has_no_headline():
    trials = plan(workloads=("mlp-512",), rounds=1)
    text = compose(Report(build_run(trials, profile="smoke"), build_records(trials)))
    assert "A smoke run ranks nothing" in text
    assert "trains" not in text
