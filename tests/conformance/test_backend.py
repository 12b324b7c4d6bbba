"""Every backend obeys its protocol, for every workload.

`pytest tests/conformance --backend NAME` runs these tests.
"""

from dataclasses import replace

import numpy as np
import pytest

from bench import mnist
from bench.adapter import Array, Backend, Program
from bench.machine.gpu_support import ARCHITECTURE
from bench.spec import Dropout, Execution, Workload
from bench.worker.settings import require_settings
from bench.workloads import CNN, MLP_512, MLP_512_256, WORKLOADS
from tests.conformance.planted import climb

pytestmark = [
    # torch warns of every even kernel; the padding is right for the workload
    pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel:UserWarning"),
    # NumPy 2 warns when it reads Keras' variables; the values are right
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
    """Return initial weights with biases that are not zero, so that a missing bias shows."""
    draws = np.random.RandomState(seed)
    return {
        name: value
        if name.endswith("kernel")
        else draws.uniform(-0.1, 0.1, value.shape).astype("f4")
        for name, value in mnist.initial_parameters(workload, seed).items()
    }


def load_program(backend: Backend, workload: Workload) -> Program:
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


def test_the_architectures_of_a_build_are_named_as_cuda_names_them(backend: Backend) -> None:
    names = backend.architectures()
    assert names is None or names
    assert all(ARCHITECTURE.fullmatch(name) for name in names or ())
    # a backend that has kernels for GPUs also gives the version of CUDA
    assert names is None or "cuda" in backend.versions()


def test_a_mode_that_a_backend_lacks_is_refused_with_a_reason(backend: Backend) -> None:
    assert backend.unsupported(MLP_512, CPU) is None
    assert "graph" in (backend.unsupported(MLP_512, replace(CPU, mode="graph")) or "")


@ALL
def test_the_built_model_has_the_workloads_layers(backend: Backend, workload: Workload) -> None:
    assert tuple(backend.build(workload, CPU).layers()) == workload.summary()


@ALL
def test_parameters_are_returned_as_they_were_loaded(backend: Backend, workload: Workload) -> None:
    expected = probe(workload)
    received = load_program(backend, workload).parameters()
    assert list(received) == list(expected)
    for name, value in expected.items():
        assert received[name].dtype == value.dtype
        np.testing.assert_array_equal(received[name], value, err_msg=name)


@ALL
def test_load_resets_all_state(backend: Backend, data: mnist.Mnist, workload: Workload) -> None:
    program = load_program(backend, workload)
    batch = program.put(batch_of(data, workload, 32))

    def train() -> dict[str, Array]:
        program.load(probe(workload), seed=1)
        for _ in range(3):
            program.train_step(batch)
        program.synchronize()
        return program.parameters()

    first = train()
    # threads split sums, so that a repeat may differ in the last bits
    assert largest_difference(first, train()) < 1e-5
    assert largest_difference(first, probe(workload)) > 1e-4


@DETERMINISTIC
def test_a_training_does_not_change_the_loaded_arrays(
    backend: Backend, data: mnist.Mnist, workload: Workload
) -> None:
    """The caller keeps the arrays, although a framework may share their memory."""
    program = backend.build(workload, CPU)
    loaded = probe(workload)
    program.load(loaded, seed=1)
    for _ in range(2):
        program.train_step(program.put(batch_of(data, workload, 32)))
    program.fit(*batch_of(data, workload, 32), 32)
    program.synchronize()
    assert largest_difference(loaded, probe(workload)) == 0.0


@ALL
def test_every_rung_passes(backend: Backend, data: mnist.Mnist, workload: Workload) -> None:
    """Logits, gradients, updates and trainings equal the oracle's, in float32."""
    rungs = climb(backend, data, workload, "float32")
    assert all(rung.passed for rung in rungs), rungs[-1]
    names = [rung.rung for rung in rungs]
    assert names[:3] == ["parameters", "initial", "forward"]
    assert "trajectory" in names
    assert ("tanh trajectory" in names) != ("dropout masks" in names)


# Dynamo warns of parts of Keras' code, but compiles them
@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("mode", ["compiled", "epoch"])
@pytest.mark.parametrize("workload", [MLP_512_256, CNN], ids=lambda value: value.name)
def test_every_rung_passes_in_the_other_modes(
    backend: Backend, data: mnist.Mnist, workload: Workload, mode: str
) -> None:
    """Dropout draws a new mask in each step in these modes too."""
    if backend.unsupported(workload, replace(CPU, mode=mode)):
        pytest.skip(f"{backend.name} has no mode {mode!r} on a CPU, and says so")
    rungs = climb(backend, data, workload, "float32", mode=mode)
    assert all(rung.passed for rung in rungs), rungs[-1]


@pytest.mark.parametrize("workload", [MLP_512, CNN], ids=lambda value: value.name)
def test_every_rung_passes_in_bfloat16(
    backend: Backend, data: mnist.Mnist, workload: Workload
) -> None:
    """The difference shows that the computation is in bfloat16: float32 differs a hundredth."""
    if backend.unsupported(workload, replace(CPU, precision="bfloat16")):
        pytest.skip(f"{backend.name} has no bfloat16, and says so")
    rungs = climb(backend, data, workload, "bfloat16")
    assert all(rung.passed for rung in rungs), rungs[-1]
    (forward,) = (rung.measured for rung in rungs if rung.rung == "forward")
    assert forward > 1e-4


@pytest.mark.parametrize("workload", [MLP_512, MLP_512_256], ids=lambda value: value.name)
def test_stock_optimizers_have_their_own_equations(
    backend: Backend, data: mnist.Mnist, workload: Workload
) -> None:
    if backend.unsupported(workload, replace(CPU, optimizer="stock")):
        pytest.skip(f"{backend.name} has no optimizers but the matched ones, and says so")
    for precision in ("float32", "float64"):
        rungs = climb(backend, data, workload, precision, optimizer="stock")
        assert all(rung.passed for rung in rungs), rungs[-1]


@pytest.mark.parametrize(
    "how",
    [
        {"precision": "float32"},
        {"precision": "bfloat16"},
        {"precision": "float64"},
        {"optimizer": "stock"},
    ],
    ids=str,
)
def test_requested_settings_are_in_force(backend: Backend, how: dict[str, object]) -> None:
    execution = replace(CPU, **how)
    if backend.unsupported(MLP_512, execution):
        pytest.skip(f"{backend.name} has no {how}, and says so")
    program = backend.build(MLP_512, execution)
    initial = mnist.initial_parameters(MLP_512, 0, execution.dtype)
    program.load(initial, seed=1)
    require_settings(execution, MLP_512, program.settings())


@DETERMINISTIC
def test_a_program_of_many_steps_equals_single_steps(
    backend: Backend, data: mnist.Mnist, workload: Workload
) -> None:
    epoch = replace(CPU, mode="epoch")
    if backend.unsupported(workload, epoch):
        pytest.skip(f"{backend.name} has no mode 'epoch' on a CPU, and says so")
    images, labels = batch_of(data, workload, 96 + 8)
    results = []
    for sizes in ((96, 8), (32, 32, 32, 8)):
        program = backend.build(workload, epoch)
        program.load(probe(workload), seed=1)
        ends = np.cumsum(sizes)
        for start, end in zip(ends - sizes, ends, strict=True):
            program.train_step(program.put((images[start:end], labels[start:end])))
        results.append((program.take_metrics(), program.parameters()))
    program.load(probe(workload), seed=1)
    results.append((program.fit(images, labels, 32), program.parameters()))
    (expected_metrics, expected_parameters), *others = results
    for metrics, parameters in others:
        assert metrics == pytest.approx(expected_metrics, rel=1e-5)
        assert largest_difference(parameters, expected_parameters) < 1e-5


@DETERMINISTIC
def test_one_hot_labels_are_the_same_function(
    backend: Backend, data: mnist.Mnist, workload: Workload
) -> None:
    """Categorical cross-entropy of one-hot labels equals sparse cross-entropy of integers."""
    images, labels = batch_of(data, workload, 24)
    results = []
    for form in ("integer", "one-hot"):
        program = load_program(backend, replace(workload, labels=form))
        loss, gradients = program.gradients(program.put((images, labels)))
        fitted = program.fit(images, labels, 16)
        evaluated = program.evaluate(images, labels, 16)
        results.append((np.array([loss, *fitted, *evaluated]), gradients))
    (sparse, gradients), (categorical, others) = results
    np.testing.assert_allclose(sparse, categorical, rtol=1e-5)
    for name, gradient in gradients.items():
        np.testing.assert_allclose(others[name], gradient, atol=1e-5 * np.abs(gradient).max())


@DETERMINISTIC
def test_take_metrics_resets_the_metrics(
    backend: Backend, data: mnist.Mnist, workload: Workload
) -> None:
    program = load_program(backend, workload)
    batch = program.put(batch_of(data, workload, 24))
    losses = []
    for _ in range(2):
        losses.append(program.gradients(batch)[0])
        program.train_step(batch)
        assert program.take_metrics()[0] == pytest.approx(losses[-1], rel=1e-5)
    assert losses[0] != losses[1]


@DETERMINISTIC
def test_fit_equals_the_step_loop(backend: Backend, data: mnist.Mnist, workload: Workload) -> None:
    """They are equal to the last bit, as `bench.adapter` requires for a CPU."""
    program = load_program(backend, workload)
    images, labels = batch_of(data, workload, 80)
    figures = program.fit(images, labels, 32)
    fitted = program.parameters()
    program.load(probe(workload), seed=1)
    for start in (0, 32, 64):
        chosen = slice(start, start + 32)
        program.train_step(program.put((images[chosen], labels[chosen])))
    assert program.take_metrics() == pytest.approx(figures, rel=1e-6)
    stepped = program.parameters()
    for name, value in fitted.items():
        np.testing.assert_array_equal(stepped[name], value, err_msg=name)


@DETERMINISTIC
def test_fit_returns_size_weighted_running_means(
    backend: Backend, data: mnist.Mnist, workload: Workload
) -> None:
    program = load_program(backend, workload)
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
    """Dropout is off in evaluation, so that this holds for every workload."""
    program = load_program(backend, workload)
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
    program = load_program(backend, CNN)
    batch = program.put(batch_of(data, CNN, 32))
    assert program.gradients(batch)[0] != program.gradients(batch)[0]
    np.testing.assert_allclose(program.forward(batch), program.forward(batch), atol=1e-6)


@pytest.mark.parametrize("workload", [MLP_512, CNN], ids=lambda value: value.name)
def test_the_tutorial_trains(backend: Backend, data: mnist.Mnist, workload: Workload) -> None:
    if backend.name == "pytorch":
        pytest.importorskip("torchvision", reason="the tutorial of PyTorch needs torchvision")
    program = load_program(backend, workload)
    program.tutorial(mnist.raw_folder(), *batch_of(data, workload, 64), 32)
    program.synchronize()
    assert largest_difference(program.parameters(), probe(workload)) > 1e-4


def test_settings_are_plain_values_that_were_read_back(backend: Backend) -> None:
    program = load_program(backend, MLP_512)
    settings = program.settings()
    assert settings["device"] == "cpu"
    assert settings["dtype"] == "float32"
    assert settings["optimizer_epsilon"] == 1e-7
    assert settings["tf32_matmul"] is False
    assert all(isinstance(value, str | int | float | bool | None) for value in settings.values())
    assert program.peak_device_bytes() is None


def test_a_product_is_the_product_of_the_two(backend: Backend) -> None:
    """The matrices are not square, so that a transposed matrix does not fit."""
    program = load_program(backend, MLP_512)
    draws = np.random.RandomState(3)
    left, right = draws.uniform(-1, 1, (7, 5)), draws.uniform(-1, 1, (5, 3))
    multiply = backend.product(left.astype("f4"), right.astype("f4"), CPU)
    for _ in range(2):
        result = np.asarray(multiply())
        program.synchronize()
        assert result.dtype == np.float32
        np.testing.assert_allclose(result, left @ right, atol=1e-6)


def test_accumulate_adds_one_to_each_value(backend: Backend) -> None:
    program = load_program(backend, MLP_512)
    add = backend.accumulate(5, CPU)
    for _ in range(2):
        add()
    values = add()
    program.synchronize()
    np.testing.assert_array_equal(np.asarray(values), np.full(5, 3, "f4"), strict=True)
