"""The workloads agree with their table by hand and with the published results."""

import json
from importlib import resources

import pytest

from bench.errors import UsageError
from bench.spec import ADAM, RMSPROP
from bench.workloads import CNN, MLP_512, MLP_512_256, WORKLOADS, select_workloads

DOCUMENT = json.loads(
    resources.files("bench.spec").joinpath("published.json").read_text(encoding="utf-8")
)
# by name: total, counts per layer, optimizer, batch size, epochs, steps per epoch
TABLE = {
    "mlp-512-256": (535_818, (401_920, 131_328, 2_570), ADAM, 128, 10, 469),
    "mlp-512": (407_050, (401_920, 5_130), RMSPROP, 128, 5, 469),
    "mlp-256-256-128-64": (
        308_554, (200_960, 65_792, 32_896, 8_256, 650), RMSPROP, 128, 100, 469,
    ),
    "mlp-1000": (795_010, (785_000, 10_010), ADAM, 100, 10, 600),
    "cnn": (3_156_098, (832, 8_256, 3_137_000, 10_010), ADAM, 32, 5, 1875),
}  # fmt: skip
PRINTED = [
    (name, entry)
    for name, entries in DOCUMENT["results"].items()
    for entry in entries
    if entry["test_accuracy"] is not None
]
workload = pytest.mark.parametrize("name", TABLE)


def test_there_are_five_workloads_under_their_names():
    assert list(WORKLOADS) == list(TABLE)
    assert all(name == workload.name for name, workload in WORKLOADS.items())


@workload
def test_a_workload_has_the_values_of_the_table(name):
    total, counts, optimizer, batch_size, epochs, steps = TABLE[name]
    workload = WORKLOADS[name]
    assert workload.parameter_total == sum(counts) == total
    assert tuple(row.count for row in workload.summary() if row.count) == counts
    assert workload.optimizer == optimizer
    assert (workload.batch_size, workload.epochs) == (batch_size, epochs)
    assert workload.steps_per_epoch == steps


def test_the_cnn_has_its_layers():
    rows = [(row.name, row.output_shape, row.count) for row in CNN.summary()]
    assert rows == [
        ("conv_0", (28, 28, 32), 832),
        ("pool_0", (14, 14, 32), 0),
        ("conv_1", (14, 14, 64), 8_256),
        ("pool_1", (7, 7, 64), 0),
        ("dropout_0", (7, 7, 64), 0),
        ("flatten_0", (3136,), 0),
        ("dense_0", (1000,), 3_137_000),
        ("dense_1", (10,), 10_010),
    ]


def test_parameters_have_their_names_and_shapes():
    assert CNN.parameter_shapes() == {
        "conv_0/kernel": (5, 5, 1, 32),
        "conv_0/bias": (32,),
        "conv_1/kernel": (2, 2, 32, 64),
        "conv_1/bias": (64,),
        "dense_0/kernel": (3136, 1000),
        "dense_0/bias": (1000,),
        "dense_1/kernel": (1000, 10),
        "dense_1/bias": (10,),
    }
    assert list(MLP_512.parameter_shapes()) == [
        "dense_0/kernel", "dense_0/bias", "dense_1/kernel", "dense_1/bias",
    ]  # fmt: skip


# the published results


def test_every_printed_accuracy_is_in_a_workload():
    assert sum(len(workload.published) for workload in WORKLOADS.values()) == len(PRINTED) == 5


@pytest.mark.parametrize(("name", "entry"), PRINTED, ids=[name for name, _ in PRINTED])
def test_published_values_are_those_of_the_document(name, entry):
    (result,) = WORKLOADS[name].published
    source = DOCUMENT["sources"][entry["source"]]
    for field in ("title", "author", "where", "date", "framework"):
        assert getattr(result, field) == source[field]
    for field in (
        "source", "test_accuracy", "test_loss", "wrong", "last_epoch_train_accuracy",
        "last_epoch_train_loss", "parameters_printed",
    ):  # fmt: skip
        assert getattr(result, field) == entry.get(field)
    assert result.step_milliseconds == as_pair(entry.get("step_ms"))
    assert result.sample_microseconds == as_pair(entry.get("sample_us"))
    for field in ("wrong_indices", "sampled_wrong_indices", "first_predictions"):
        assert list(getattr(result, field)) == entry.get(field, [])


def as_pair(values):
    return None if values is None else tuple(values)


@workload
def test_published_accuracies_are_those_that_were_printed(name):
    accuracies = {
        "mlp-512-256": 0.9806,
        "mlp-512": 0.9793,
        "mlp-256-256-128-64": 0.9836,
        "mlp-1000": 0.9811,
        "cnn": 0.9904,
    }
    (result,) = WORKLOADS[name].published
    assert result.test_accuracy == pytest.approx(accuracies[name], abs=1e-7)
    assert result.parameters_printed in (None, TABLE[name][0])
    if result.wrong is not None:
        assert round(10_000 * (1 - result.test_accuracy)) == result.wrong


def test_wrong_indices_are_those_of_the_only_source_that_lists_them():
    (result,) = MLP_512_256.published
    indices = result.wrong_indices
    assert len(indices) == result.wrong == 194
    assert list(indices) == sorted(set(indices))
    assert 0 <= indices[0] < indices[-1] < 10_000


# selection


def test_a_selection_keeps_the_order_of_the_table():
    assert [workload.name for workload in select_workloads(["cnn", "mlp-512"])] == [
        "mlp-512",
        "cnn",
    ]
    assert select_workloads([]) == tuple(WORKLOADS.values())
    assert select_workloads(["cnn", "cnn"]) == (CNN,)


def test_unknown_names_are_refused():
    with pytest.raises(UsageError, match=r"Expected: mlp-512-256, .*, cnn\. Received: a, b$"):
        select_workloads(["b", "cnn", "a"])
