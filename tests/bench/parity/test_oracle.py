"""The oracle agrees with independent references: central differences, SciPy, closed forms."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special

from bench import mnist
from bench.parity import oracle
from bench.parity.probe import draw, remove_dropout, tanh_twin
from bench.spec import ADAM, RMSPROP, Conv2D, Optimizer, Workload
from bench.workloads import CNN, MLP_512, MLP_512_256, WORKLOADS
from tests.fakes.workloads import TINY

TRAINED = [remove_dropout(workload) for workload in WORKLOADS.values()]
ALL = pytest.mark.parametrize("workload", TRAINED, ids=lambda value: value.name)
few = settings(deadline=None, max_examples=30, derandomize=True)


@pytest.fixture(scope="module")
def batch_of(data: mnist.Mnist) -> Callable[..., tuple[np.ndarray, np.ndarray]]:
    def batch(workload: Workload, start: int, stop: int) -> tuple[np.ndarray, np.ndarray]:
        images = mnist.scaled(data.train_images[start:stop], workload.input_shape)
        return images, data.train_labels[start:stop]

    return batch


def gradient_by_differences(workload, parameters, batch, name, place) -> float:
    """Return (f(w + h) - f(w - h)) / 2h, which has an error of the order of h^2."""
    step, losses = 1e-6, []
    for sign in (1, -1):
        moved = {**parameters, name: parameters[name].copy()}
        moved[name][place] += sign * step
        logits = list(oracle.activations(workload, moved, batch[0]).values())[-1]
        losses.append(oracle.cross_entropy(logits, batch[1])[0])
    return (losses[0] - losses[1]) / (2 * step)


@ALL
def test_gradients_are_central_differences(workload, batch_of):
    """Compared at two random coordinates of every tensor that have a large gradient."""
    draws = np.random.RandomState(0)
    parameters = {name: np.float64(value) for name, value in draw(workload, 1).items()}
    batch = batch_of(workload, 0, 2)
    gradients = oracle.run(workload, parameters, *batch).gradients
    assert gradients.keys() == workload.parameter_shapes().keys()
    for name, gradient in gradients.items():
        assert gradient.shape == parameters[name].shape
        large = np.argwhere(np.abs(gradient) > 0.1 * np.abs(gradient).max())
        for place in map(tuple, large[draws.permutation(len(large))[:2]]):
            difference = gradient_by_differences(workload, parameters, batch, name, place)
            assert difference == pytest.approx(gradient[place], rel=1e-6), (name, place)


def test_the_tanh_twins_gradients_are_central_differences(batch_of):
    twin = tanh_twin(MLP_512)
    parameters = {name: np.float64(value) for name, value in draw(twin, 1).items()}
    batch = batch_of(twin, 0, 2)
    gradient = oracle.run(twin, parameters, *batch).gradients["dense_0/kernel"]
    place = np.unravel_index(np.abs(gradient).argmax(), gradient.shape)
    difference = gradient_by_differences(twin, parameters, batch, "dense_0/kernel", place)
    assert difference == pytest.approx(gradient[place], rel=1e-6)


def convolve(layer: Conv2D, image: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    output, _ = oracle.convolution(layer, {"kernel": kernel, "bias": np.zeros(1)}, image)
    return output[0, :, :, 0]


@few
@given(st.integers(1, 5), st.integers(5, 9), st.integers(5, 9), st.integers(0, 2**16))
def test_a_convolution_is_scipys_correlation(size, height, width, seed):
    # the import takes a second, which a process that only collects the tests saves
    from scipy import signal

    draws = np.random.RandomState(seed)
    image, kernel = draws.randn(1, height, width, 1), draws.randn(size, size, 1, 1)
    plain = signal.correlate2d(image[0, :, :, 0], kernel[:, :, 0, 0], mode="valid")
    valid = Conv2D(filters=1, kernel_size=size, padding="valid")
    np.testing.assert_allclose(convolve(valid, image, kernel), plain, atol=1e-12)
    # "same" is "valid" on an image padded with zeros, with at most one more at the end
    before, after = (size - 1) // 2, size // 2
    wider = np.pad(image[0, :, :, 0], (before, after))
    same = convolve(Conv2D(filters=1, kernel_size=size, padding="same"), image, kernel)
    assert same.shape == (height, width)
    expected = signal.correlate2d(wider, kernel[:, :, 0, 0], mode="valid")
    np.testing.assert_allclose(same, expected, atol=1e-12)


def test_an_even_kernel_pads_at_the_bottom_and_at_the_right():
    image = np.arange(9.0).reshape(1, 3, 3, 1)
    kernel = np.zeros((2, 2, 1, 1))
    kernel[1, 1] = 1
    same = convolve(Conv2D(filters=1, kernel_size=2), image, kernel)
    np.testing.assert_array_equal(same, [[4, 5, 0], [7, 8, 0], [0, 0, 0]])


small_integers = st.integers(0, 2)


@few
@given(st.lists(st.lists(small_integers, min_size=5, max_size=5), min_size=5, max_size=5))
def test_a_pool_sends_its_gradient_to_the_first_of_the_largest(rows):
    """With few different values most squares have ties. The fifth row and column are left out."""
    image = np.array(rows, float).reshape(1, 5, 5, 1)
    pooled, back = oracle.max_pool(2, image)
    upstream = np.arange(1.0, 5).reshape(1, 2, 2, 1)
    gradient, own = back(upstream)
    assert own == {}
    for i in range(2):
        for j in range(2):
            square = image[0, 2 * i : 2 * i + 2, 2 * j : 2 * j + 2, 0].reshape(-1)
            received = gradient[0, 2 * i : 2 * i + 2, 2 * j : 2 * j + 2, 0].reshape(-1)
            assert pooled[0, i, j, 0] == square.max()
            winner = list(square).index(square.max())
            expected = np.zeros(4)
            expected[winner] = upstream[0, i, j, 0]
            np.testing.assert_array_equal(received, expected)
    assert not gradient[0, 4].any()
    assert not gradient[0, :, 4].any()


logits = st.lists(st.lists(st.floats(-1e6, 1e6), min_size=10, max_size=10), min_size=1, max_size=6)


@few
@given(logits, st.integers(0, 9), st.floats(-1e6, 1e6))
def test_softmax_and_cross_entropy_at_extreme_logits(rows, label, shift):
    values = np.array(rows)
    labels = np.full(len(values), label)
    probabilities = oracle.softmax(values)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-12)
    np.testing.assert_allclose(probabilities, special.softmax(values, axis=1), atol=1e-12)
    loss, gradient = oracle.cross_entropy(values, labels)
    expected = -special.log_softmax(values, axis=1)[:, label].mean()
    assert np.isfinite(loss)
    assert loss == pytest.approx(expected, rel=1e-12, abs=1e-12)
    np.testing.assert_allclose(gradient.sum(axis=1), 0, atol=1e-12)
    shifted, _ = oracle.cross_entropy(values + shift, labels)
    assert shifted == pytest.approx(loss, rel=1e-9, abs=1e-8)


@few
@given(st.integers(1, 7), st.integers(1, 7))
def test_a_partial_batch_has_the_weight_of_its_size(first, second):
    """The mean over both batches is the mean of the means, weighted by size."""
    draws = np.random.RandomState(first * 8 + second)
    parameters = draw(TINY, 0)
    images, labels = draws.rand(first + second, 784), draws.randint(0, 10, first + second)
    whole = oracle.run(TINY, parameters, images, labels)
    parts = [
        (oracle.run(TINY, parameters, images[rows], labels[rows]), size)
        for rows, size in ((slice(None, first), first), (slice(first, None), second))
    ]
    total = first + second
    assert whole.loss == pytest.approx(sum(part.loss * size for part, size in parts) / total)
    for name, gradient in whole.gradients.items():
        mean = sum(part.gradients[name] * size for part, size in parts) / total
        np.testing.assert_allclose(gradient, mean, atol=1e-14)


def test_one_hot_labels_are_the_same_function():
    draws = np.random.RandomState(0)
    values, labels = draws.randn(12, 10), draws.randint(0, 10, 12)
    sparse = oracle.cross_entropy(values, labels)
    categorical = oracle.cross_entropy(values, np.eye(10)[labels])
    assert sparse[0] == categorical[0]
    np.testing.assert_array_equal(sparse[1], categorical[1])
    assert oracle.accuracy(values, labels) == oracle.accuracy(values, np.eye(10)[labels])


def last_update(update, optimizer: Optimizer, steps: int, gradient: float) -> float:
    """Return the last of several updates that all have the same gradient."""
    state: dict[str, np.ndarray] = {}
    return [
        float(update(optimizer, step, state, np.array(gradient))) for step in range(1, steps + 1)
    ][-1]


@pytest.mark.parametrize("steps", [1, 2, 7])
@pytest.mark.parametrize("gradient", [0.3, -1e-4, 1e-9])
def test_adam_under_a_constant_gradient(steps, gradient):
    """The corrected averages are then g and g^2 at every step."""
    rate, epsilon, (_, beta_2) = ADAM.learning_rate, ADAM.epsilon, ADAM.decay
    plain = rate * gradient / (abs(gradient) + epsilon)
    assert last_update(oracle.torch_adam, ADAM, steps, gradient) == pytest.approx(plain)
    root = np.sqrt(1 - beta_2**steps)
    hat = rate * root * gradient / (root * abs(gradient) + epsilon)
    assert last_update(oracle.keras_adam, ADAM, steps, gradient) == pytest.approx(hat)


@pytest.mark.parametrize("steps", [1, 2, 7])
@pytest.mark.parametrize("gradient", [0.3, -1e-4, 1e-9])
def test_rmsprop_under_a_constant_gradient(steps, gradient):
    rate, epsilon, (rho,) = RMSPROP.learning_rate, RMSPROP.epsilon, RMSPROP.decay
    second = (1 - rho**steps) * gradient**2
    inside = rate * gradient / np.sqrt(second + epsilon)
    outside = rate * gradient / (np.sqrt(second) + epsilon)
    assert last_update(oracle.keras_rmsprop, RMSPROP, steps, gradient) == pytest.approx(inside)
    assert last_update(oracle.torch_rmsprop, RMSPROP, steps, gradient) == pytest.approx(outside)


@pytest.mark.parametrize("math", ["matched", "stock"])
def test_a_training_learns(math, batch_of):
    training = oracle.Oracle(MLP_512_256, draw(MLP_512_256, 0), math)
    batch = batch_of(MLP_512_256, 0, 32)
    losses = [training.step(*batch).loss for _ in range(5)]
    assert losses == sorted(losses, reverse=True)
    assert training.steps == 5


def test_a_margin_is_the_distance_to_the_nearest_kink_of_its_image():
    """If a pre-activation is moved to just above zero, it is the margin of its image."""
    parameters = {name: np.float64(value) for name, value in draw(MLP_512, 0).items()}
    images = np.stack([np.full(784, 0.5), np.full(784, 0.25)])
    inner = images @ parameters["dense_0/kernel"] + parameters["dense_0/bias"]
    largest = np.abs(inner).max()
    parameters["dense_0/bias"][7] += 1e-9 * largest - inner[1, 7]
    first, second = oracle.margins(MLP_512, parameters, images)
    assert second == pytest.approx(1e-9, rel=1e-4)
    assert first > 1e-7


def test_a_pools_contest_counts_unless_it_is_a_tie_or_below_zero():
    close = [[[1.0], [0.5]], [[1.0 - 1e-8], [0.0]]]
    tied = [[[1.0], [0.25]], [[1.0], [0.5]]]
    below = [[[-1.0], [-1.0 - 1e-8]], [[-2.0], [-3.0]]]
    margins = oracle.contests(2, np.array([close, tied, below]))
    np.testing.assert_allclose(margins, np.array([1e-8, 0.5, np.inf]) / [3, 3, 1])


def test_dropout_is_the_identity():
    parameters = draw(CNN, 0)
    image = np.random.RandomState(0).rand(1, 28, 28, 1)
    with_dropout = oracle.activations(CNN, parameters, image)
    without_dropout = oracle.activations(remove_dropout(CNN), parameters, image)
    np.testing.assert_array_equal(with_dropout["dropout_0"], with_dropout["pool_1"])
    np.testing.assert_array_equal(with_dropout["dense_1"], without_dropout["dense_1"])
