"""Specifications refuse wrong values and derive shapes, counts, labels and names."""

import math
from dataclasses import FrozenInstanceError, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.errors import UsageError
from bench.spec import (
    ACTIVATIONS,
    ADAM,
    IMAGE_SHAPE,
    MODES,
    OPTIMIZER_MATH,
    PRECISIONS,
    RMSPROP,
    TRAIN_IMAGES,
    AccuracyPlan,
    Cell,
    Conv2D,
    Dense,
    Dropout,
    Execution,
    Flatten,
    MaxPool2D,
    Optimizer,
    Trial,
    Workload,
)

LOGITS = Dense(units=10, activation="linear")
SMALL = Workload(
    name="small",
    input_shape=(784,),
    layers=(Dense(units=2), LOGITS),
    optimizer=ADAM,
    batch_size=128,
    epochs=2,
    parameter_counts=(1570, 30),
)
CPU = Execution(device="cpu", batch_size=128)


def assert_refused(make, received, *parts):
    """Assert that the error is one line with the expected and, at its end, the received value."""
    with pytest.raises(UsageError) as error:
        make()
    message = str(error.value)
    assert "\n" not in message
    assert "Expected: " in message
    assert message.endswith(f"Received: {received!r}")
    for part in parts:
        assert part in message


NOT_COUNTS = [0, -1, 1.5, 2.0, True, "3", None]


@pytest.mark.parametrize("value", NOT_COUNTS)
@pytest.mark.parametrize(
    ("make", "what"),
    [
        (lambda value: Dense(units=value), "dense units"),
        (lambda value: Conv2D(filters=value, kernel_size=3), "conv filters"),
        (lambda value: Conv2D(filters=3, kernel_size=value), "conv kernel_size"),
        (lambda value: MaxPool2D(size=value), "pool size"),
        (lambda value: replace(SMALL, batch_size=value), "batch size of workload 'small'"),
        (lambda value: replace(SMALL, epochs=value), "epochs of workload 'small'"),
        (lambda value: replace(CPU, batch_size=value), "batch size"),
    ],
    ids=["units", "filters", "kernel_size", "pool", "workload batch", "epochs", "batch"],
)
def test_a_number_that_is_not_a_count_is_refused(make, what, value):
    assert_refused(lambda: make(value), value, what)


@pytest.mark.parametrize("value", [value for value in NOT_COUNTS if value is not None])
def test_a_wrong_number_of_threads_is_refused(value):
    assert_refused(lambda: replace(CPU, threads=value), value, "threads")


@pytest.mark.parametrize(
    ("make", "received", "parts"),
    [
        (lambda: Dense(units=1, activation="gelu"), "gelu", ACTIVATIONS),
        (lambda: Conv2D(filters=1, kernel_size=1, activation=None), None, ACTIVATIONS),
        (lambda: Conv2D(filters=1, kernel_size=1, padding="full"), "full", ("same", "valid")),
        (lambda: Dropout(rate=1.0), 1.0, ("[0, 1)",)),
        (lambda: Dropout(rate=-0.1), -0.1, ("[0, 1)",)),
        (lambda: Dropout(rate=math.nan), math.nan, ("[0, 1)",)),
        (lambda: Dropout(rate="0.25"), "0.25", ("[0, 1)",)),
    ],
)
def test_layers_refuse_wrong_values(make, received, parts):
    assert_refused(make, received, *parts)


def test_a_dense_layer_on_an_image_is_refused():
    assert_refused(
        lambda: replace(SMALL, input_shape=IMAGE_SHAPE), IMAGE_SHAPE, "put a Flatten before it"
    )


@pytest.mark.parametrize("layer", [Conv2D(filters=1, kernel_size=2), MaxPool2D(size=2)])
def test_an_image_layer_on_a_vector_is_refused(layer):
    assert_refused(lambda: layer.output_shape((784,)), (784,), f"a {layer.kind} layer takes images")


def test_a_kernel_or_pool_larger_than_its_input_is_refused():
    convolution = Conv2D(filters=1, kernel_size=5, padding="valid")
    assert_refused(lambda: convolution.output_shape((4, 8, 1)), 5, "kernel_size <= 4")
    assert_refused(lambda: MaxPool2D(size=5).output_shape((8, 4, 1)), 5, "size <= 4")


sizes = st.integers(1, 12)


@given(sizes, sizes, sizes, sizes, sizes)
def test_layers_have_the_right_output_shapes(height, width, channels, size, filters):
    shape = (height, width, channels)
    same = Conv2D(filters=filters, kernel_size=size)
    assert same.output_shape(shape) == (height, width, filters)
    assert same.parameter_shapes(shape) == {
        "kernel": (size, size, channels, filters),
        "bias": (filters,),
    }
    assert Flatten().output_shape(shape) == (height * width * channels,)
    assert Dropout(rate=0.5).output_shape(shape) == shape
    if size <= min(height, width):
        valid = replace(same, padding="valid")
        assert valid.output_shape(shape) == (height - size + 1, width - size + 1, filters)
        assert MaxPool2D(size=size).output_shape(shape) == (
            height // size,
            width // size,
            channels,
        )


# optimizers


def test_optimizers_have_the_defaults_of_keras():
    assert (ADAM.learning_rate, ADAM.decay, ADAM.epsilon) == (0.001, (0.9, 0.999), 1e-7)
    assert (RMSPROP.learning_rate, RMSPROP.decay, RMSPROP.epsilon) == (0.001, (0.9,), 1e-7)


@pytest.mark.parametrize(
    ("make", "received", "parts"),
    [
        (lambda: Optimizer(name="sgd", decay=()), "sgd", ("adam, rmsprop",)),
        (lambda: replace(ADAM, decay=(0.9,)), (0.9,), ("decay of adam", "2 numbers")),
        (lambda: replace(RMSPROP, decay=(0.9, 0.9)), (0.9, 0.9), ("1 numbers in [0, 1)",)),
        (lambda: replace(RMSPROP, decay=(1.0,)), (1.0,), ("decay of rmsprop",)),
        (lambda: replace(ADAM, learning_rate=0), 0, ("learning_rate",)),
        (lambda: replace(ADAM, epsilon=-1e-7), -1e-7, ("epsilon",)),
        (lambda: replace(ADAM, epsilon=math.nan), math.nan, ("epsilon",)),
    ],
)
def test_optimizers_refuse_wrong_values(make, received, parts):
    assert_refused(make, received, *parts)


# workloads


def test_a_batch_larger_than_the_data_is_refused():
    too_many = TRAIN_IMAGES + 1
    assert_refused(lambda: replace(SMALL, batch_size=too_many), too_many, "1 to 60000")
    assert_refused(lambda: replace(CPU, batch_size=too_many), too_many, "1 to 60000")
    assert replace(SMALL, batch_size=TRAIN_IMAGES).steps_per_epoch == 1


@pytest.mark.parametrize("shape", [(783,), (), (28, 28, 3)])
def test_an_input_shape_that_is_not_an_image_is_refused(shape):
    assert_refused(lambda: replace(SMALL, input_shape=shape), shape, "(784,) or (28, 28, 1)")


@pytest.mark.parametrize(
    "last", [Dense(units=9, activation="linear"), Dense(units=10), Dropout(rate=0.5), None]
)
def test_a_workload_without_ten_logits_at_its_end_is_refused(last):
    layers = () if last is None else (Dense(units=2), last)
    assert_refused(lambda: replace(SMALL, layers=layers), last, "must give the logits")


def test_parameter_counts_that_do_not_match_the_layers_are_refused():
    assert_refused(
        lambda: replace(SMALL, parameter_counts=(1570, 31)), (1570, 30), "Expected: (1570, 31)"
    )


def test_a_workload_is_immutable():
    with pytest.raises(FrozenInstanceError):
        SMALL.epochs = 3
    assert replace(SMALL, epochs=3) != SMALL
    assert hash(replace(SMALL, epochs=2)) == hash(SMALL)


@given(st.integers(1, TRAIN_IMAGES))
def test_an_epoch_keeps_the_partial_batch(batch_size):
    steps = replace(SMALL, batch_size=batch_size).steps_per_epoch
    assert (steps - 1) * batch_size < TRAIN_IMAGES <= steps * batch_size


@given(st.lists(st.integers(1, 300), max_size=5))
def test_a_stack_of_layers_has_names_shapes_and_counts(widths):
    counts = [
        (width + 1) * units for width, units in zip([784, *widths], [*widths, 10], strict=True)
    ]
    workload = replace(
        SMALL,
        layers=(*(Dense(units=width) for width in widths), LOGITS),
        parameter_counts=tuple(counts),
    )
    assert [row.name for row in workload.summary()] == [f"dense_{i}" for i in range(len(counts))]
    assert sum(map(math.prod, workload.parameter_shapes().values())) == workload.parameter_total


# executions, cells, trials


@pytest.mark.parametrize("device", ["gpu", "cuda", "cuda:", "cuda:x", "cuda:-1", "cpu:0", ""])
def test_an_unknown_device_is_refused(device):
    assert_refused(lambda: replace(CPU, device=device), device, "cpu or cuda:N")


@pytest.mark.parametrize(
    ("field", "known"),
    [("mode", MODES), ("precision", PRECISIONS), ("optimizer", OPTIMIZER_MATH)],
)
def test_an_execution_takes_only_known_values(field, known):
    for value in known:
        assert getattr(replace(CPU, **{field: value}), field) == value
    assert_refused(lambda: replace(CPU, **{field: "fast"}), "fast", f"unknown {field}", *known)


executions = st.builds(
    Execution,
    device=st.sampled_from(["cpu", "cuda:0", "cuda:1"]),
    batch_size=st.integers(1, 256),
    mode=st.sampled_from(MODES),
    precision=st.sampled_from(PRECISIONS),
    threads=st.none() | st.integers(1, 64),
    optimizer=st.sampled_from(OPTIMIZER_MATH),
)


@given(executions, executions)
def test_labels_are_unique_and_safe_in_file_names(first, second):
    cells = [Cell(workload="cnn", backend="pytorch", execution=how) for how in (first, second)]
    labels = [cell.label for cell in cells]
    assert (labels[0] == labels[1]) == (first == second)
    assert not set(labels[0]) - set("abcdefghijklmnopqrstuvwxyz0123456789_-")


def test_the_name_of_a_trial_has_its_kind_cell_round_and_seed():
    cell = Cell(workload="mlp-512", backend="keras-jax", execution=CPU)
    label = "mlp-512_keras-jax_cpu_default_float32_b128"
    assert Trial(kind="parity", cell=cell, seed=0).name == f"parity-{label}-s0"
    timing = Trial(kind="timing", cell=cell, seed=3, round=7, position=1)
    assert timing.name == f"timing-{label}-r07-s3"
    stock = replace(CPU, device="cuda:1", optimizer="stock", threads=2)
    assert replace(cell, execution=stock).label == (
        "mlp-512_keras-jax_cuda1_default_float32_stock_t2_b128"
    )


def test_an_accuracy_plan_takes_all_images_by_default():
    assert AccuracyPlan(epochs=1).train_images == TRAIN_IMAGES
