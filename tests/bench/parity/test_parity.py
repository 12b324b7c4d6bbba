"""Rungs pass equal values, measure every difference and name the first beyond a gate."""

from dataclasses import replace

import numpy as np
import pytest

from bench import mnist
from bench.errors import ParityError, UsageError
from bench.parity.gates import FLOAT32_NOISE, GATES, SIGMAS, gate
from bench.parity.rungs import (
    LARGEST,
    Difference,
    Rung,
    compare,
    compare_tensors,
    compare_updates,
    compare_values,
    data_rung,
    differing_values,
    digests,
    initial_rung,
    parameters_rung,
    require,
    require_changed,
    rung_of,
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


def test_digests_identify_the_data_that_every_backend_was_given():
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
def test_a_wrong_name_kind_or_shape_counts(change):
    layers = (*MLP_512.summary()[:-1], replace(LAST, **change))
    assert parameters_rung(MLP_512, layers).measured == 1


def test_weights_that_come_back_unchanged_pass():
    assert initial_rung(weights(), weights()) == Rung(rung="initial", measured=0)


def test_one_value_that_differs_is_counted():
    returned = weights()
    returned["dense_0/kernel"][1, 1] += 1e-7
    rung = initial_rung(weights(), returned)
    assert (rung.measured, rung.where) == (1, "dense_0/kernel: 1 values differ")


def test_all_values_that_differ_are_counted_and_the_first_is_named():
    returned = {name: value + 1 for name, value in weights().items()}
    rung = initial_rung(weights(), returned)
    assert (rung.measured, rung.where) == (8, "dense_0/bias: 2 values differ")


def test_a_tensor_that_is_missing_or_new_is_named():
    fewer, more = weights(), {**weights(), "dense_1/bias": np.zeros(7)}
    del fewer["dense_0/bias"]
    assert initial_rung(weights(), fewer).where == "dense_0/bias: 2 values differ"
    assert initial_rung(weights(), more).where == "dense_1/bias: 7 values differ"


@pytest.mark.parametrize(
    ("expected", "received", "count"),
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
def test_a_tensor_of_another_form_counts_with_all_its_values(expected, received, count):
    assert differing_values(expected, received) == count


EXPECTED = np.array([[1.0, -2.0], [0.5, 4.0]])


def test_a_difference_is_a_share_of_the_largest_magnitude():
    received = EXPECTED + np.array([[0.0, 0.0], [0.0, 1e-3]])
    difference = compare_tensors("logits", EXPECTED, received)
    assert difference.measured == pytest.approx(1e-3 / 4)
    assert difference.sides == "[1, 1] expected 4, received 4.001"


def test_a_difference_is_measured_in_float64():
    received = EXPECTED.astype(np.float32) + np.float32(2**-20)
    assert compare_tensors("logits", EXPECTED, received).measured == 2**-20 / 4


def test_equal_values_differ_by_nothing():
    assert compare_tensors("logits", EXPECTED, EXPECTED.copy()).measured == 0.0
    zeros = np.zeros(3)
    assert compare_tensors("gradient", zeros, zeros).measured == 0.0
    assert compare_updates("kernel", EXPECTED, EXPECTED, EXPECTED).measured == 0.0


def test_a_value_is_compared_by_its_absolute_difference():
    difference = compare_values("loss", 2.5, 2.25)
    assert (difference.measured, difference.sides) == (0.25, "expected 2.5, received 2.25")


def test_an_update_is_compared_by_norms():
    """The size of the weights has no effect: only the change of the step counts."""
    before = np.array([100.0, -100.0], np.float32)
    expected = before + np.array([3.0, 4.0])
    difference = compare_updates("kernel", before, expected, expected + np.array([0.0, 0.5]))
    assert difference.measured == pytest.approx(0.5 / 5)
    assert difference.sides == "change of [1] expected 4, received 4.5"


@pytest.mark.parametrize(
    ("received", "description"),
    [(None, "nothing"), (EXPECTED[0], "shape (2,)"), (EXPECTED.reshape(4, 1), "shape (4, 1)")],
    ids=["missing", "fewer", "reshaped"],
)
def test_another_shape_is_the_largest_difference(received, description):
    for difference in (
        compare_tensors("kernel", EXPECTED, received),
        compare_updates("kernel", np.zeros((2, 2)), EXPECTED, received),
    ):
        assert difference.measured == LARGEST
        assert difference.sides == f"expected shape (2, 2), received {description}"


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_value_that_is_not_a_number_is_the_largest_difference(value):
    received = EXPECTED.copy()
    received[0, 1] = value
    for difference in (
        compare_tensors("kernel", EXPECTED, received),
        compare_updates("kernel", np.zeros((2, 2)), EXPECTED, received),
        compare_values("loss", 1.0, value),
    ):
        assert difference.measured == LARGEST
        assert difference.sides.endswith(f"received {value}")


def test_a_value_that_should_be_zero_and_is_not_is_the_largest_difference():
    assert compare_tensors("gradient", np.zeros(2), np.array([0.0, 1e-30])).measured == LARGEST
    before = np.ones(2)
    assert compare_updates("kernel", before, before, before + 1e-9).measured == LARGEST


def test_a_scalar_has_no_place():
    difference = compare("loss", np.array(1.0), np.array(1.5), 1.0)
    assert difference.sides == "expected 1, received 1.5"


def difference(what: str, measured: float) -> Difference:
    return Difference(what=what, measured=measured, sides="expected 1, received 2")


def test_the_first_difference_beyond_the_gate_is_named_not_the_largest():
    differences = [difference("a", 9e-6), difference("b", 2e-5), difference("c", 0.5)]
    rung = rung_of("forward", "float32", differences)
    assert (rung.measured, rung.gate, rung.passed) == (2e-5, 1e-5, False)
    assert rung.where == "b (expected 1, received 2)"


def test_the_difference_nearest_to_the_gate_is_named_if_all_passed():
    rung = rung_of("forward", "float32", [difference("a", 3e-6), difference("b", 2e-6)])
    assert (rung.measured, rung.passed) == (3e-6, True)
    assert rung.where.startswith("a (")


def test_the_optimizer_chooses_the_gate():
    differences = [difference("a", 1e-4)]
    assert rung_of("update", "float32", differences, "adam").passed
    assert not rung_of("update", "float32", differences, "rmsprop").passed


FLOAT32 = ": as far off as float32 is"


@pytest.mark.parametrize(
    ("precision", "measured", "hinted"),
    [
        ("float64", 5e-7, True),
        ("float64", 1e-12, False),
        ("float64", 0.01, False),
        # a value within the gate gets no hint
        ("float64", 1e-14, False),
        ("float32", 5e-5, False),
    ],
)
def test_float64_that_is_computed_in_float32_gets_a_hint(precision, measured, hinted):
    rung = rung_of("forward", precision, [difference("logits", measured)])
    assert rung.where.endswith(FLOAT32) == hinted


@pytest.mark.parametrize("precision", ["float16", "Float32", ""])
def test_a_precision_without_gates_is_refused(precision):
    with pytest.raises(UsageError, match="Expected: one of float32, float64") as caught:
        gate(precision, "forward")
    assert str(caught.value).endswith(f"Received: {precision}")


def test_a_computation_in_float32_passes_no_gate_of_float64():
    least, _ = FLOAT32_NOISE
    for rung, limit in GATES["float64"].items():
        assert 0 < limit < least < GATES["float32"][rung]


def test_a_coarser_precision_has_wider_gates_and_the_same_for_dropouts_statistics():
    order = [GATES[precision] for precision in ("float32", "tf32", "bfloat16")]
    assert len({frozenset(gates) for gates in order}) == 1
    for rung in order[0]:
        limits = [gates[rung] for gates in order]
        assert limits == ([SIGMAS] * 3 if limits[0] == SIGMAS else sorted(set(limits)))


def test_the_error_of_a_failed_rung_has_its_name_measure_gate_and_place():
    require(Rung(rung="forward", measured=1e-6, gate=1e-5))
    failed = Rung(rung="forward", measured=0.25, gate=1e-5, where="logits, full batch")
    with pytest.raises(ParityError) as caught:
        require(failed)
    assert str(caught.value) == ("rung forward: measured 0.25, gate 1e-05: logits, full batch")


def test_a_training_must_change_something():
    require_changed("fit", weights(), {name: value + 1 for name, value in weights().items()})
    with pytest.raises(ParityError, match="fit changed no weight"):
        require_changed("fit", weights(), weights())
