"""What every backend must do, for every workload: `pytest tests/conformance --backend NAME`."""

from dataclasses import replace

import numpy as np
import pytest

from bench import mnist
from bench.adapter import Array, Backend, Program
from bench.spec import Dropout, Execution, Optimizer, Workload
from bench.workloads import CNN, MLP_512, MLP_512_256, WORKLOADS

pytestmark = [
    # torch says so of every even kernel; the padding itself is what the workload wants
    pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel:UserWarning"),
    # Keras' variables, read by NumPy 2: their business, and the values are right
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
]

CPU = Execution(device="cpu", batch_size=32)
NO_DROPOUT = replace(
    CNN,
    name="cnn-no-dropout",
    layers=tuple(layer for layer in CNN.layers if not isinstance(layer, Dropout)),
)
ALL = pytest.mark.parametrize("workload", WORKLOADS.values(), ids=lambda value: value.name)
DETERMINISTIC = pytest.mark.parametrize(
    "workload", [MLP_512_256, MLP_512, NO_DROPOUT], ids=lambda value: value.name
)


def batch_of(
    data: mnist.Mnist, workload: Workload, count: int, start: int = 0
) -> tuple[Array, Array]:
    chosen = slice(start, start + count)
    images = mnist.scaled(data.train_images[chosen], workload.input_shape)
    return images, data.train_labels[chosen].copy()


def probe(workload: Workload, seed: int = 3) -> dict[str, Array]:
    """Initial weights with biases that are not zero, so that a missing bias shows."""
    draws = np.random.RandomState(seed)
    return {
        name: value
        if name.endswith("kernel")
        else draws.uniform(-0.1, 0.1, value.shape).astype("f4")
        for name, value in mnist.initial_parameters(workload, seed).items()
    }


def loaded(backend: Backend, workload: Workload) -> Program:
    program = backend.build(workload, CPU)
    program.load(probe(workload), seed=1)
    return program


def largest_difference(left: dict[str, Array], right: dict[str, Array]) -> float:
    assert left.keys() == right.keys()
    return max(float(np.abs(left[name] - right[name]).max()) for name in left)


def test_names_versions_and_devices(backend: Backend, request: pytest.FixtureRequest) -> None:
    assert backend.name == request.config.getoption("--backend")
    assert backend.versions()["numpy"] == np.__version__
    assert backend.devices()[0] == "cpu"


def test_a_mode_that_is_not_there_is_refused_with_a_reason(backend: Backend) -> None:
    assert backend.unsupported(MLP_512, CPU) is None
    assert "graph" in (backend.unsupported(MLP_512, replace(CPU, mode="graph")) or "")


@ALL
def test_the_built_model_has_the_workloads_layers(backend: Backend, workload: Workload) -> None:
    assert tuple(backend.build(workload, CPU).layers()) == workload.summary()


@ALL
def test_parameters_come_back_as_they_were_loaded(backend: Backend, workload: Workload) -> None:
    wanted = probe(workload)
    found = loaded(backend, workload).parameters()
    assert list(found) == list(wanted)
    for name, value in wanted.items():
        assert found[name].dtype == value.dtype
        np.testing.assert_array_equal(found[name], value, err_msg=name)


@ALL
def test_load_resets_all_state(backend: Backend, data: mnist.Mnist, workload: Workload) -> None:
    program = loaded(backend, workload)
    batch = program.put(batch_of(data, workload, 32))

    def train() -> dict[str, Array]:
        program.load(probe(workload), seed=1)
        for _ in range(3):
            program.train_step(batch)
        program.synchronize()
        return program.parameters()

    first = train()
    # sums are split over threads, so that a repeat may differ in the last bits
    assert largest_difference(first, train()) < 1e-5
    assert largest_difference(first, probe(workload)) > 1e-4


@pytest.mark.parametrize("workload", [MLP_512_256, MLP_512], ids=lambda value: value.name)
def test_logits_are_those_of_numpy(backend: Backend, data: mnist.Mnist, workload: Workload) -> None:
    program, parameters = loaded(backend, workload), probe(workload)
    images, labels = batch_of(data, workload, 7)
    values = images.astype(np.float64)
    for index in range(len(workload.layers)):
        values = values @ parameters[f"dense_{index}/kernel"] + parameters[f"dense_{index}/bias"]
        if index < len(workload.layers) - 1:
            values = np.maximum(values, 0)
    np.testing.assert_allclose(program.forward(program.put((images, labels))), values, atol=1e-5)


@DETERMINISTIC
def test_loss_and_last_gradient_follow_from_the_logits(
    backend: Backend, data: mnist.Mnist, workload: Workload
) -> None:
    """For the last bias the gradient is the mean of softmax minus one-hot (Bishop 2006, 4.109)."""
    program = loaded(backend, workload)
    images, labels = batch_of(data, workload, 24)
    batch = program.put((images, labels))
    logits = program.forward(batch).astype(np.float64)
    probabilities = np.exp(logits - logits.max(axis=1, keepdims=True))
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    loss, gradients = program.gradients(batch)

    truth = probabilities[np.arange(len(labels)), labels]
    assert loss == pytest.approx(-np.log(truth).mean(), rel=1e-5)
    assert {name: value.shape for name, value in gradients.items()} == workload.parameter_shapes()
    last = list(gradients)[-1]
    expected = (probabilities - np.eye(10)[labels]).mean(axis=0)
    np.testing.assert_allclose(gradients[last], expected, atol=1e-6)


def keras_update(optimizer: Optimizer, step: int, state: dict[str, Array], g: Array) -> Array:
    """What an update subtracts, after the equations of Keras 3's Adam and RMSprop."""
    rate, epsilon = optimizer.learning_rate, optimizer.epsilon
    if optimizer.name == "rmsprop":
        (rho,) = optimizer.decay
        state["v"] = rho * state.get("v", 0.0) + (1 - rho) * g**2
        return rate * g / np.sqrt(state["v"] + epsilon)
    beta_1, beta_2 = optimizer.decay
    state["m"] = beta_1 * state.get("m", 0.0) + (1 - beta_1) * g
    state["v"] = beta_2 * state.get("v", 0.0) + (1 - beta_2) * g**2
    corrected = rate * np.sqrt(1 - beta_2**step) / (1 - beta_1**step)
    return corrected * state["m"] / (np.sqrt(state["v"]) + epsilon)


@DETERMINISTIC
def test_updates_are_those_of_keras_equations(
    backend: Backend, data: mnist.Mnist, workload: Workload
) -> None:
    program = loaded(backend, workload)
    batch = program.put(batch_of(data, workload, 32))
    states: dict[str, dict[str, Array]] = {name: {} for name in workload.parameter_shapes()}
    for step in (1, 2):
        before = program.parameters()
        _, gradients = program.gradients(batch)
        program.train_step(batch)
        program.synchronize()
        after = program.parameters()
        for name, gradient in gradients.items():
            wanted = keras_update(
                workload.optimizer, step, states[name], gradient.astype(np.float64)
            )
            received = before[name].astype(np.float64) - after[name]
            error = np.linalg.norm(received - wanted) / np.linalg.norm(wanted)
            assert error < 6e-4, (name, step)


@DETERMINISTIC
def test_fit_is_the_step_loop(backend: Backend, data: mnist.Mnist, workload: Workload) -> None:
    program = loaded(backend, workload)
    images, labels = batch_of(data, workload, 80)
    program.fit(images, labels, 32)
    fitted = program.parameters()
    program.load(probe(workload), seed=1)
    for start in (0, 32, 64):
        chosen = slice(start, start + 32)
        program.train_step(program.put((images[chosen], labels[chosen])))
    program.synchronize()
    assert largest_difference(fitted, program.parameters()) < 1e-5


@DETERMINISTIC
def test_fit_returns_size_weighted_running_means(
    backend: Backend, data: mnist.Mnist, workload: Workload
) -> None:
    program = loaded(backend, workload)
    images, labels = batch_of(data, workload, 40)
    loss, accuracy = program.fit(images, labels, 32)
    program.load(probe(workload), seed=1)
    losses, right = [], 0
    for chosen in (slice(0, 32), slice(32, 40)):
        batch = program.put((images[chosen], labels[chosen]))
        right += int((program.forward(batch).argmax(axis=1) == labels[chosen]).sum())
        losses.append(program.gradients(batch)[0])
        program.train_step(batch)
    assert loss == pytest.approx((32 * losses[0] + 8 * losses[1]) / 40, rel=1e-4)
    assert accuracy == pytest.approx(right / 40)


@ALL
def test_evaluate_and_predict_agree_with_forward(
    backend: Backend, data: mnist.Mnist, workload: Workload
) -> None:
    """In evaluation dropout is off, so that this holds for every workload."""
    program = loaded(backend, workload)
    images, labels = batch_of(data, workload, 50)
    logits = program.forward(program.put((images, labels)))
    np.testing.assert_allclose(program.predict(images, 32), logits, atol=1e-5)
    loss, accuracy = program.evaluate(images, labels, 32)
    assert accuracy == pytest.approx((logits.argmax(axis=1) == labels).mean())
    shifted = logits.astype(np.float64) - logits.max(axis=1, keepdims=True)
    truth = shifted[np.arange(len(labels)), labels] - np.log(np.exp(shifted).sum(axis=1))
    assert loss == pytest.approx(-truth.mean(), rel=1e-4)


def test_dropout_is_on_in_training_and_off_in_evaluation(
    backend: Backend, data: mnist.Mnist
) -> None:
    program = loaded(backend, CNN)
    batch = program.put(batch_of(data, CNN, 32))
    assert program.gradients(batch)[0] != program.gradients(batch)[0]
    np.testing.assert_allclose(program.forward(batch), program.forward(batch), atol=1e-6)


@pytest.mark.parametrize("workload", [MLP_512, CNN], ids=lambda value: value.name)
def test_the_tutorial_trains(backend: Backend, data: mnist.Mnist, workload: Workload) -> None:
    if backend.name == "pytorch":
        pytest.importorskip("torchvision", reason="the tutorial of PyTorch needs torchvision")
    program = loaded(backend, workload)
    program.tutorial(mnist.raw_folder(), *batch_of(data, workload, 64), 32)
    program.synchronize()
    assert largest_difference(program.parameters(), probe(workload)) > 1e-4


def test_settings_are_plain_and_read_back(backend: Backend) -> None:
    program = loaded(backend, MLP_512)
    settings = program.settings()
    assert settings["device"] == "cpu"
    assert settings["dtype"] == "float32"
    assert settings["optimizer_epsilon"] == 1e-7
    assert settings["tf32_matmul"] is False
    assert all(isinstance(value, str | int | float | bool | None) for value in settings.values())
    assert program.peak_device_bytes() is None
