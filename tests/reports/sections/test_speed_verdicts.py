"""Which backend a report calls faster, and which trials it looks at for that."""

import json
import random
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from bench.record.selection import comparable, ranked
from bench.spec import Trial
from reports.exports.summary_json import as_json
from reports.results.report import Report
from tests.records import build_record, build_records, build_run, plan
from tests.reports.scenarios import complete, smoke
from tests.reports.tables_of import compose, numbers_in, section_of, table_with, tables_of

HEADING = "Which is faster"


def timing(*, rounds=6, **options):
    return plan(workloads=("mlp-512",), rounds=rounds, seeds=(), **options)


def verdicts(text):
    return table_with(section_of(text, HEADING), "verdict")


def flagged(trial: Trial, *flags: str, attempt: int = 0):
    return build_record(replace(trial, attempt=attempt), flags=list(flags))


@pytest.fixture(scope="module")
def done():
    run, records = complete()
    report = Report(run, records)
    return records, compose(report), as_json(report)


def native(records, backend):
    """Native seconds per step of mlp-512 by round."""
    found = {}
    for record in records:
        trial = record.trial
        if (trial.kind, trial.workload, trial.backend) == ("timing", "mlp-512", backend):
            lane = record.lanes.native
            found[trial.round] = np.median(lane.slice_seconds) / lane.steps_per_slice
    return np.array([found[turn] for turn in sorted(found)])


def test_the_ratio_is_that_of_the_rounds(done):
    records, text, document = done
    row = verdicts(text)[0]
    assert (row["timed"], row["device"], row["n"]) == ("full training loop", "cpu", "10")
    logs = np.log(native(records, "pytorch") / native(records, "keras-tensorflow"))
    ratio = document["claims"][0]["comparison"]["ratio"]
    assert ratio["value"] == pytest.approx(np.exp(np.median(logs)), rel=1e-12)
    expected = [1 / ratio["value"], 1 / ratio["high"], 1 / ratio["low"]]
    assert numbers_in(row["speed-up"]) == pytest.approx(expected, abs=0.0051)
    assert row["compared"] == "PyTorch against Keras on TensorFlow"
    assert row["verdict"] == "FASTER"


def test_the_summary_says_what_the_table_says(done):
    _, text, document = done
    rows = [row for found in tables_of(text) for row in found if "smallest detectable" in row]
    found = Counter(row["verdict"] for row in rows)
    assert found == Counter(claim["verdict"] for claim in document["claims"])
    (verdict,) = found
    sentence = f"PyTorch against Keras on TensorFlow on cpu: {verdict} in 4 of 4 comparisons."
    assert sentence in text.split("## Summary", maxsplit=1)[0]


def test_the_json_of_claims_is_strict_and_unrounded(done):
    claims = json.loads(json.dumps(done[2], allow_nan=False))["claims"]
    assert [(one["workload"], one["lane"]) for one in claims] == [
        ("mlp-512", "native"), ("mlp-512", "step"), ("cnn", "native"), ("cnn", "step"),
    ]  # fmt: skip
    # of the 512 flips of ten rounds only one has as large an effect: no flip
    assert [one["adjusted_p_value"] for one in claims] == [1 / 2**9] * 4
    assert {(one["first"], one["second"]) for one in claims} == {("pytorch", "keras-tensorflow")}


def test_a_smoke_run_makes_no_verdict():
    run, records = smoke()
    text = compose(Report(run, records))
    assert section_of(text, HEADING).strip().startswith("A smoke run makes no verdicts")
    assert not any(word in text for word in ("FASTER", "SLOWER", "UNCLEAR", "UNDECIDED"))
    assert as_json(Report(run, records))["claims"] == []


def test_one_backend_alone_is_compared_with_nothing():
    trials = timing(backends=("pytorch",))
    text = compose(Report(build_run(trials), build_records(trials)))
    assert "No two frameworks were timed in the same way" in section_of(text, HEADING)


def test_every_two_backends_are_compared_where_all_else_is_equal():
    trials = timing(devices=("cpu", "cuda:0"), rounds=2)
    trials += [
        replace(trial, cell=replace(trial.cell, backend="keras-jax"))
        for trial in trials
        if trial.cell.backend == "pytorch"
    ]
    claims = as_json(Report(build_run(trials), build_records(trials)))["claims"]
    pairs = [("keras-tensorflow", "keras-jax"), ("pytorch", "keras-jax"),
             ("pytorch", "keras-tensorflow")]  # fmt: skip
    found = [(one["execution"]["device"], one["first"], one["second"]) for one in claims[::2]]
    assert found == [(device, *pair) for device in ("cpu", "cuda:0") for pair in pairs]


def test_fewer_than_six_rounds_are_undecided():
    trials = timing(rounds=5)
    rows = verdicts(compose(Report(build_run(trials), build_records(trials))))
    assert {row["because"] for row in rows} == {"5 of the 6 good rounds that a verdict needs"}
    assert all(row["verdict"] == "UNDECIDED" and "[" not in row["speed-up"] for row in rows)


@pytest.mark.parametrize(
    ("attempts", "expected"),
    [
        ([()], 0),
        ([("contended",)], 0),
        ([("contended",), ()], 1),
        ([("throttled",), ("stolen",)], 1),
        # repeated because its partner was disturbed
        ([(), ()], 1),
        ([("contended",), ("no_steady_state",)], 1),
    ],
)
def test_a_round_is_its_last_attempt(attempts, expected):
    (trial, *_) = timing(rounds=1)
    records = [flagged(trial, *flags, attempt=turn) for turn, flags in enumerate(attempts)]
    (found,) = ranked(random.Random(1).sample(records, len(records)))
    assert found.trial.attempt == expected
    assert comparable([found]) == ([] if "no_steady_state" in found.flags else [found])


def test_trials_that_were_not_steady_are_counted_and_not_compared():
    trials = timing()
    records = build_records(
        trials, lambda one: flagged(one, "no_steady_state") if one.round == 3 else None
    )
    text = compose(Report(build_run(trials), records))
    assert {(row["n"], row["because"]) for row in verdicts(text)} == {
        ("5", "5 of the 6 good rounds that a verdict needs")
    }
    assert "2 trials not compared: the time per step" in section_of(text, HEADING)


def test_disturbed_trials_are_replaced_by_their_repeats_or_counted():
    trials = timing(rounds=7)
    first, second = (one for one in trials if one.round == 2)
    repeat = replace(first, attempt=1)
    records = build_records(
        [*trials, repeat],
        lambda one: flagged(one, "contended") if one in (first, second) else None,
    )
    run = build_run([*trials, repeat])
    said = section_of(compose(Report(run, records)), HEADING)
    assert "1 trial not compared: the same round was timed once more." in said
    assert "1 trial compared although disturbed" in said
    without = [one for one in records if one.trial.trial() != first]
    assert as_json(Report(run, records))["claims"] == as_json(Report(run, without))["claims"]
