"""The computed work of a train step equals the work counted by hand."""

from dataclasses import replace
from itertools import pairwise

import pytest

from bench.spec import Dense, Dropout
from bench.spec.work import UPDATE, Work, moved_values, operations, step_work
from bench.workloads import CNN, MLP_512, MLP_512_256, WORKLOADS

MLPS = [workload for workload in WORKLOADS.values() if workload.name.startswith("mlp")]


def test_the_operations_of_mlp_512_equal_counts_by_hand():
    first, second = 2 * 128 * 784 * 512, 2 * 128 * 512 * 10
    assert operations(MLP_512, 128) == {
        # bias and ReLU: two for each of 128 x 512 values, forward and backward
        "dense_0 forward": first + 131_072,
        "dense_0 weights": first + 131_072,
        "dense_1 forward": second + 1_280,
        "dense_1 weights": second + 1_280,
        "dense_1 inputs": second,
        "loss": 128 * 64,
        "update": 407_050 * 9,
    }
    assert step_work(MLP_512, 128).operations == 213_389_402


def test_the_bytes_of_mlp_512_equal_counts_by_hand():
    assert moved_values(MLP_512, 128) == {
        "images": 100_352,
        "parameters": 814_100,
        "gradients": 814_100,
        "slots": 814_100,
        # 512 and 10 values of each of 128 images, written and read
        "outputs": 133_632,
        "gradients of outputs": 133_632,
    }
    assert step_work(MLP_512, 128).moved_bytes == 11_239_664


@pytest.mark.parametrize("workload", MLPS, ids=lambda workload: workload.name)
def test_an_mlp_takes_six_operations_for_each_image_and_weight(workload):
    """The gradient of the first layer's inputs is not computed. Everything else is small."""
    batch = workload.batch_size
    widths = [784, *(layer.units for layer in workload.layers)]
    kernels = [above * below for above, below in pairwise(widths)]
    products = 6 * batch * sum(kernels) - 2 * batch * kernels[0]
    # bias and ReLU of hidden units, forward and backward; at the ten logits bias, and 64 for loss
    others = batch * (4 * sum(widths[1:-1]) + 2 * 10 + 64)
    others += workload.parameter_total * {"adam": 12, "rmsprop": 9}[workload.optimizer.name]
    assert step_work(workload, batch).operations == products + others
    assert others < 0.04 * products


def test_the_operations_of_the_cnn_equal_counts_by_hand():
    counts = operations(CNN, 32)
    # each position and filter has a sum of 5 x 5 x 1 products, or of 2 x 2 x 32
    first = 2 * 32 * (28 * 28 * 32) * 25
    second = 2 * 32 * (14 * 14 * 64) * 128
    assert counts["conv_0 forward"] == first + 2 * 32 * 28 * 28 * 32
    assert counts["conv_0 weights"] == first + 2 * 32 * 28 * 28 * 32
    assert "conv_0 inputs" not in counts
    assert counts["conv_1 forward"] == second + 2 * 32 * 14 * 14 * 64
    assert counts["conv_1 inputs"] == second
    # the maximum of four values takes three comparisons
    assert counts["pool_0 forward"] == 32 * 14 * 14 * 32 * 3
    assert counts["pool_1 inputs"] == 0
    assert counts["dropout_0 forward"] == 2 * 32 * 3136
    assert counts["dropout_0 inputs"] == 32 * 3136
    assert counts["flatten_0 forward"] == 0
    assert counts["update"] == 12 * 3_156_098


def test_the_outputs_of_the_cnn_are_of_all_layers_except_flatten():
    values = 28 * 28 * 32 + 14 * 14 * 32 + 14 * 14 * 64 + 7 * 7 * 64 + 7 * 7 * 64 + 1000 + 10
    moved = moved_values(CNN, 32)
    assert moved["outputs"] == moved["gradients of outputs"] == 2 * 32 * values
    # Adam has two slots for each parameter
    assert moved["slots"] == 2 * moved["parameters"] == 4 * 3_156_098


def test_no_gradients_are_computed_before_the_first_parameters():
    dropped = replace(MLP_512, layers=(Dropout(rate=0.5), *MLP_512.layers))
    more = operations(dropped, 128)
    assert more.pop("dropout_0 forward") == 2 * 128 * 784
    assert more == operations(MLP_512, 128)


@pytest.mark.parametrize("workload", WORKLOADS.values(), ids=lambda workload: workload.name)
def test_the_work_of_batches_adds_up_except_for_the_update(workload):
    update = workload.parameter_total * UPDATE[workload.optimizer.name]
    small, large, both = (step_work(workload, size).operations for size in (3, 5, 8))
    assert both == small + large - update
    # the bytes of images and outputs grow with the batch, the other bytes do not
    small, large, both = (step_work(workload, size).moved_bytes for size in (3, 5, 8))
    assert both == small + large - step_work(workload, 0).moved_bytes


def test_a_deeper_network_adds_its_layers():
    thinner = operations(MLP_512, 128)
    deeper = operations(replace(MLP_512_256, optimizer=MLP_512.optimizer), 128)
    added = 2 * 128 * 512 * 256
    assert deeper["dense_0 forward"] == thinner["dense_0 forward"]
    assert deeper["dense_1 inputs"] == added
    assert deeper["dense_2 weights"] == 2 * 128 * 256 * 10 + 128 * 10


def test_an_activation_costs_as_much_as_its_derivative_needs():
    def step(activation: str) -> int:
        first = Dense(units=512, activation=activation)
        return step_work(replace(MLP_512, layers=(first, MLP_512.layers[1])), 128).operations

    assert step("relu") - step("linear") == 2 * 128 * 512
    assert step("tanh") - step("linear") == 4 * 128 * 512


def test_precision_changes_bytes_but_not_operations():
    single = step_work(CNN, 32)
    for precision, share in (("tf32", 1), ("float64", 2), ("bfloat16", 0.5)):
        assert step_work(CNN, 32, precision).moved_bytes == share * single.moved_bytes
        assert step_work(CNN, 32, precision).operations == single.operations


def test_intensity_is_operations_over_bytes():
    assert Work(operations=300, moved_bytes=200).intensity == 1.5
