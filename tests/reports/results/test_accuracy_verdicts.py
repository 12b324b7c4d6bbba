"""What a report says of accuracy: backend against backend, published results, time to get there."""

from dataclasses import replace

import numpy as np
import pytest

from bench.spec import AccuracyPlan
from reports.exports.summary_json import as_json
from reports.results.report import Report
from reports.text import NOTHING
from tests.records import build_record, build_records, build_run, good, plan
from tests.reports.tables_of import compose, numbers_in, section_of, table_with

SEEDS = tuple(range(10))
KERAS, TORCH = "keras-tensorflow", "pytorch"
HEADING = "Whether they train to the same accuracy"


def with_accuracies(finals, workload="mlp-512", **options):
    """A run of trainings alone; `finals` maps a backend to its final accuracy of each seed."""
    seeds = range(len(next(iter(finals.values()))))
    trials = plan(workloads=(workload,), rounds=0, seeds=seeds, **options)
    records = []
    for trial in trials:
        measured = good(trial)["accuracy"]
        measured["final_test_accuracy"] = finals[trial.cell.backend][trial.seed]
        records.append(build_record(trial, accuracy=measured))
    return build_run(trials), records


def near(mean, seeds=10):
    """Values around `mean`, 0.1 points apart at most."""
    return [mean + 1e-4 * (seed % 10 - 4.5) for seed in range(seeds)]


def verdict_of(run, records):
    text = compose(Report(run, records))
    (row,) = table_with(section_of(text, HEADING), "verdict")
    return row


def test_equivalent_backends():
    run, records = with_accuracies({KERAS: near(0.98), TORCH: near(0.9801)})
    row = verdict_of(run, records)
    assert row["compared"] == "PyTorch against Keras on TensorFlow"
    assert row["verdict"] == "EQUIVALENT"
    assert row["seeds"] == "10"
    assert numbers_in(row["difference (points)"]) == [0.01]


def test_different_backends():
    run, records = with_accuracies({KERAS: near(0.98), TORCH: near(0.97)})
    row = verdict_of(run, records)
    assert (row["verdict"], row["difference (points)"]) == ("DIFFERENT", "-1.00")


def test_few_seeds_are_inconclusive_and_one_seed_gets_a_sentence():
    run, records = with_accuracies({KERAS: near(0.98, 3), TORCH: near(0.98, 3)})
    assert verdict_of(run, records)["verdict"] == "INCONCLUSIVE"
    run, records = with_accuracies({KERAS: [0.98], TORCH: [0.97]})
    assert "Not compared: one seed each" in section_of(compose(Report(run, records)), HEADING)


def test_a_backend_that_lost_a_seed_is_not_compared():
    run, records = with_accuracies({KERAS: near(0.98), TORCH: near(0.98)})
    assert as_json(Report(run, records))["accuracy_claims"]
    assert not as_json(Report(run, records[:-1]))["accuracy_claims"]


def test_the_json_has_the_claim_unrounded():
    run, records = with_accuracies({KERAS: near(0.98), TORCH: near(0.9801)})
    (claim,) = as_json(Report(run, records))["accuracy_claims"]
    assert (claim["first"], claim["second"]) == (TORCH, KERAS)
    assert claim["comparison"]["difference"] == pytest.approx(1e-4, rel=1e-9)
    assert claim["adjusted_equivalence_p_value"] < 0.05


def judged(finals, workload="mlp-512-256", **options):
    run, records = with_accuracies({KERAS: finals, TORCH: finals}, workload, **options)
    return Report(run, records).rows[0].published_verdict


@pytest.mark.parametrize(
    ("finals", "expected"),
    [
        # published: 0.9806
        (near(0.9803), "reproduced"),
        (near(0.9700), "not reproduced"),
        ([0.97, 0.99], "too few seeds"),
    ],
)
def test_a_published_accuracy_is_one_more_draw(finals, expected):
    assert judged(finals) == expected


def test_another_training_than_the_published_one_is_not_judged():
    assert judged(near(0.9803), epochs=3) is None
    assert judged(near(0.9803), train_images=6_000) is None


def test_the_other_optimizer_is_said_where_the_two_meet():
    run, records = with_accuracies({KERAS: near(0.9793), TORCH: near(0.9793)})
    text = compose(Report(run, records))
    row = table_with(text, "test accuracy", "trained")[0]
    assert row["verdict"] == "reproduced (other optimizer)"
    assert "Other optimizer: Keras 2.3.1" in section_of(text, "mlp-512")


def test_time_to_accuracy_sums_training_seconds_until_the_first_epoch_that_has_it():
    trials = plan(workloads=("mlp-512",), rounds=0, seeds=(0, 1), epochs=5)
    records = []
    for trial in trials:
        measured = good(trial)["accuracy"]
        for epoch, accuracy in zip(
            measured["epochs"], (0.96, 0.971, 0.969, 0.981, 0.975), strict=True
        ):
            epoch |= {"test_accuracy": accuracy, "seconds": 2.0 + trial.seed}
        records.append(build_record(trial, accuracy=measured))
    text = compose(Report(build_run(trials), records))
    row = table_with(section_of(text, "Time to accuracy"), "97 %")[0]
    # seeds take 2 and 3 seconds an epoch: 4 and 6, then 8 and 12
    assert row["97 %"] == "5.00 s, epoch 2"
    assert row["98 %"] == "10.0 s, epoch 4"
    assert row["99 %"] == "never"
    # published: 97.93 %
    assert row["published less half a point"] == "10.0 s, epoch 4 (97.43 %)"


def test_a_seed_that_never_gets_there_counts_as_longer():
    seeds = (0, 1, 2)
    trials = plan(workloads=("mlp-512",), rounds=0, seeds=seeds, epochs=2)
    records = []
    for trial in trials:
        measured = good(trial)["accuracy"]
        for epoch in measured["epochs"]:
            epoch |= {"test_accuracy": 0.96 if trial.seed == 0 else 0.975, "seconds": 2.0}
        records.append(build_record(trial, accuracy=measured))
    run = build_run(trials)
    row = table_with(section_of(compose(Report(run, records)), "Time to accuracy"), "97 %")[0]
    assert row["97 %"] == "2.00 s, epoch 1; 2 of 3"
    document = as_json(Report(run, records))
    found = document["cells"][0]["accuracy"]["time_to_accuracy"][0]
    assert [one["seconds"] for one in found["trainings"]] == [None, 2.0, 2.0]


def test_longer_trainings_stand_beside_the_others_and_are_no_seed_of_them():
    trials = plan(workloads=("mlp-512-256",), rounds=0, seeds=(0, 1))
    longer = [
        replace(trial, accuracy=AccuracyPlan(epochs=50, longer=True))
        for trial in trials
        if trial.seed == 0
    ]
    run, records = build_run([*trials, *longer]), build_records([*trials, *longer])
    text = compose(Report(run, records))
    rows = table_with(section_of(text, "mlp-512-256"), "best test accuracy")
    assert [(row["seed"], row["epochs"]) for row in rows] == [("0", "10"), ("0", "50")] * 2
    assert all(row.accuracy.seeds == (0, 1) for row in Report(run, records).rows)
    assert as_json(Report(run, records))["cells"][0]["accuracy"]["epochs"] == 10


def test_throughputs_are_totals_over_totals():
    trials = plan(workloads=("mlp-512",), rounds=0, seeds=(0, 1))
    records = build_records(trials)
    row = table_with(compose(Report(build_run(trials), records)), "evaluation images/s")[0]
    measured = [r.accuracy for r in records if r.trial.backend == KERAS]
    images = sum(one.evaluation.images for one in measured)
    seconds = sum(sum(one.evaluation.seconds) for one in measured)
    assert numbers_in(row["evaluation images/s"])[0] == pytest.approx(images / seconds, rel=6e-3)
    assert row["evaluation batch"] == "250"


def test_phases_of_a_training_add_up():
    trials = plan(workloads=("mlp-512",), rounds=0, seeds=(0,))
    records = build_records(trials)
    rows = table_with(
        section_of(compose(Report(build_run(trials), records)), "Where a training's time goes"),
        "train",
    )
    timings = next(r for r in records if r.trial.backend == KERAS)
    train = np.sum([epoch.seconds for epoch in timings.accuracy.epochs])
    assert numbers_in(rows[0]["train"])[0] == pytest.approx(train, rel=6e-3)
    told = [rows[0][name] for name in list(rows[0])[3:-2]]
    parts = [numbers_in(text)[0] for text in told if text != NOTHING]
    assert len(parts) >= 5
    assert sum(parts) == pytest.approx(numbers_in(rows[0]["all"])[0], rel=0.02)


def test_a_phase_that_no_record_tells_of_is_unknown_and_not_zero():
    trials = plan(workloads=("mlp-512",), backends=(KERAS,), rounds=0, seeds=(0,))
    (record,) = build_records(trials)
    known = record.timings.model_copy(update={"import_seconds": None, "parity_seconds": None})
    text = compose(Report(build_run(trials), [record.model_copy(update={"timings": known})]))
    (row,) = table_with(section_of(text, "Where a training's time goes"), "train")
    assert (row["import"], row["check"]) == (NOTHING, NOTHING)
