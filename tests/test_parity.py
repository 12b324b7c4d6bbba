"""The rungs: equal passes, every difference is counted and the first one named."""

from dataclasses import replace

import numpy as np
import pytest

from bench import mnist
from bench.parity.rungs import (
    Rung,
    data_rung,
    differing_values,
    digests,
    initial_rung,
    parameters_rung,
)
from bench.spec import LayerSummary
from bench.workloads import CNN, MLP_512

HASHES = {"images and labels": "a" * 64, "batch order": "b" * 64, "initial parameters": "c" * 64}


def weights() -> dict[str, np.ndarray]:
    return {
        "dense_0/kernel": np.ones((3, 2), np.float32),
        "dense_0/bias": np.zeros(2, np.float32),
    }


@pytest.mark.parametrize(
    ("measured", "gate", "passed"),
    [(0, 0.0, True), (1, 0.0, False), (1e-6, 1e-5, True), (float("nan"), 1e9, False)],
)
def test_a_rung_passes_up_to_its_gate(measured, gate, passed):
    assert Rung(rung="data", measured=measured, gate=gate).passed is passed


def test_equal_hashes_pass():
    assert data_rung(HASHES, dict(HASHES)) == Rung(rung="data", measured=0)


@pytest.mark.parametrize("name", HASHES)
def test_another_hash_is_named(name):
    rung = data_rung(HASHES, {**HASHES, name: "d" * 64})
    assert (rung.measured, rung.passed) == (1, False)
    assert rung.where == f"{name}: expected {HASHES[name][:12]}, received {'d' * 12}"


def test_digests_tell_what_every_backend_was_given():
    data = mnist.load()
    initial = mnist.initial_parameters(MLP_512, 3)
    first = digests(3, data, initial)
    assert digests(3, data, dict(initial)) == first
    other_seed = digests(4, data, mnist.initial_parameters(MLP_512, 4))
    assert {name for name in first if other_seed[name] != first[name]} == {
        "batch order",
        "initial parameters",
    }
    turned = replace(data, test_labels=data.test_labels[::-1])
    differing = digests(3, turned, initial)
    assert {name for name in first if differing[name] != first[name]} == {"images and labels"}


@pytest.mark.parametrize("workload", [MLP_512, CNN], ids=lambda value: value.name)
def test_the_workloads_own_table_passes(workload):
    assert parameters_rung(workload, workload.summary()).passed


LAST = MLP_512.summary()[-1]


@pytest.mark.parametrize(
    ("layers", "count", "where"),
    [
        (
            (*MLP_512.summary()[:-1], replace(LAST, count=5131)),
            1,
            "dense_1: expected dense (10,) with 5130 parameters, "
            "received dense (10,) with 5131 parameters",
        ),
        (
            MLP_512.summary()[:-1],
            1,
            "dense_1: expected dense (10,) with 5130 parameters, received no layer",
        ),
        (
            (*MLP_512.summary(), LayerSummary(name="extra", kind="dense", output_shape=(10,),
                                              count=110)),
            1,
            "extra: expected no layer, received dense (10,) with 110 parameters",
        ),
        (
            (),
            2,
            "dense_0: expected dense (512,) with 401920 parameters, received no layer",
        ),
    ],
    ids=["another count", "one fewer", "one more", "none"],
)  # fmt: skip
def test_another_table_is_counted_and_named(layers, count, where):
    rung = parameters_rung(MLP_512, layers)
    assert (rung.measured, rung.where, rung.passed) == (count, where, False)


@pytest.mark.parametrize("change", [{"name": "dense_9"}, {"kind": "conv"}, {"output_shape": (11,)}])
def test_name_kind_and_shape_count_too(change):
    layers = (*MLP_512.summary()[:-1], replace(LAST, **change))
    assert parameters_rung(MLP_512, layers).measured == 1


def test_weights_that_come_back_unchanged_pass():
    assert initial_rung(weights(), weights()) == Rung(rung="initial", measured=0)


def test_one_value_that_differs_is_found():
    returned = weights()
    returned["dense_0/kernel"][1, 1] += 1e-7
    rung = initial_rung(weights(), returned)
    assert (rung.measured, rung.where) == (1, "dense_0/kernel: 1 values differ")


def test_all_that_differs_is_counted_and_the_first_named():
    returned = {name: value + 1 for name, value in weights().items()}
    rung = initial_rung(weights(), returned)
    assert (rung.measured, rung.where) == (8, "dense_0/bias: 2 values differ")


def test_a_tensor_that_is_missing_or_new_is_found():
    fewer, more = weights(), {**weights(), "dense_1/bias": np.zeros(7)}
    del fewer["dense_0/bias"]
    assert initial_rung(weights(), fewer).where == "dense_0/bias: 2 values differ"
    assert initial_rung(weights(), more).where == "dense_1/bias: 7 values differ"


@pytest.mark.parametrize(
    ("wanted", "found", "count"),
    [
        (np.ones(4), None, 4),
        (None, np.ones(5), 5),
        (np.ones((2, 3)), np.ones((3, 2)), 6),
        (np.ones(4, np.float32), np.ones(4, np.float64), 4),
        (np.empty(0), np.empty((0, 1)), 1),
        (np.full(3, np.nan), np.full(3, np.nan), 3),
        (np.ones(3), np.ones(3), 0),
    ],
    ids=["missing", "extra", "transposed", "another dtype", "empty", "not a number", "equal"],
)
def test_a_tensor_that_is_not_the_same_counts_with_all_its_values(wanted, found, count):
    assert differing_values(wanted, found) == count
