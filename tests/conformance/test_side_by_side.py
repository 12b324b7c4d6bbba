"""The scripts of examples/tutorials compute the same as our cells.

A Keras script has a default cell, and a PyTorch script the cell with the stock optimizer.
"""

from typing import Any

import numpy as np
import pytest

from bench import mnist
from bench.adapter import Backend, Batch, Program
from bench.mnist.draws import glorot_limit
from bench.parity.gates import gate
from bench.parity.probe import draw, remove_dropout
from bench.parity.rungs import Difference, compare_tensors, compare_updates, require, rung_of
from bench.spec import Dropout, Execution, Workload
from bench.workloads import CNN, MLP_512
from scripts.pages.side_by_side import WRITTEN
from tests.conformance.students import is_written, open_student

pytestmark = [
    # torch warns of every even kernel; the padding is right for the workload
    pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel:UserWarning"),
    # NumPy 2 warns when it reads Keras' variables; the values are right
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
]

ALL = pytest.mark.parametrize("workload", WRITTEN, ids=lambda value: value.name)


@pytest.fixture(autouse=True)
def _skip_without_scripts(backend: Backend, request: pytest.FixtureRequest) -> None:
    if not is_written(backend.name):
        pytest.skip("the scripts are written in Keras and in PyTorch")
    workload = request.getfixturevalue("workload") if "workload" in request.fixturenames else CNN
    if backend.name == "keras-jax" and workload is not MLP_512:
        pytest.skip("JAX compiles each script for some ten seconds; one shows what it makes of all")


def build_both(
    backend: Backend, workload: Workload, *, dropout: bool = False
) -> tuple[Program, Any]:
    """Return our program and the script's model, by default without dropout."""
    stock = backend.name == "pytorch"
    execution = Execution(
        device="cpu", batch_size=workload.batch_size, optimizer="stock" if stock else "matched"
    )
    program = backend.build(workload if dropout else remove_dropout(workload), execution)
    student = open_student(backend.name, workload)
    if not dropout:
        student.remove_dropout()
    return program, student


def load(workload: Workload, program: Program, student: Any) -> None:
    """Load the same weights into both, and reset their optimizers."""
    program.load(draw(workload, seed=3), seed=1)
    student.load(draw(workload, seed=3))


def build_and_load(
    backend: Backend, workload: Workload, *, dropout: bool = False
) -> tuple[Program, Any]:
    program, student = build_both(backend, workload, dropout=dropout)
    load(workload, program, student)
    return program, student


def images_of(data: mnist.Mnist, count: int) -> Batch:
    """Return pixels `(count, 28, 28)` of the files, and labels."""
    return data.train_images[:count].copy(), data.train_labels[:count].copy()


def scale(workload: Workload, batch: Batch) -> Batch:
    pixels, labels = batch
    return mnist.scaled(pixels, workload.input_shape), labels


def require_rung(rung: str, differences: list[Difference], kind: str = "") -> None:
    require(rung_of(rung, "float32", differences, kind))


def kind_of(backend: Backend, workload: Workload) -> str:
    """Return the optimizer that decides an update's gates; stock RMSprop has those of Adam."""
    return "adam" if backend.name == "pytorch" else workload.optimizer.name


def count_of(backend: Backend, workload: Workload) -> int:
    """Return a number of images for a loop over batches; a script's last batch is partial.

    In Keras all batches are full: its loop is tested elsewhere, and would compile another step.
    """
    return (5 if backend.name == "pytorch" else 4) * workload.batch_size // 2


def updates(workload: Workload, ours: Program, student: Any) -> list[Difference]:
    ours.synchronize()
    before, expected, received = draw(workload, seed=3), ours.parameters(), student.parameters()
    return [compare_updates(name, before[name], expected[name], received[name]) for name in before]


@ALL
def test_a_script_has_the_layers_batch_size_and_epochs_of_its_workload(
    backend: Backend, workload: Workload
) -> None:
    _, student = build_both(backend, workload, dropout=True)
    assert student.layers() == [(row.output_shape, row.count) for row in workload.summary()]
    rates = [layer.rate for layer in workload.layers if isinstance(layer, Dropout)]
    assert student.dropouts() == rates
    assert workload.batch_size == student.script.BATCH_SIZE
    assert workload.epochs == student.script.EPOCHS


@ALL
def test_a_script_starts_from_glorot_uniform_kernels_and_zero_biases(
    backend: Backend, workload: Workload
) -> None:
    _, student = build_both(backend, workload)
    for name, value in student.parameters().items():
        if name.endswith("/bias"):
            np.testing.assert_array_equal(value, np.zeros(value.shape, "f4"), err_msg=name)
        else:
            limit = glorot_limit(value.shape)
            assert 0.95 * limit < np.abs(value).max() < limit * (1 + 1e-6), name
            # the error is usually 0.016 with 800 values, the fewest here
            assert value.std() == pytest.approx(limit / 3**0.5, rel=0.1), name


@ALL
def test_logits_of_a_script_are_ours(
    backend: Backend, data: mnist.Mnist, workload: Workload
) -> None:
    program, student = build_and_load(backend, workload, dropout=True)
    batch = images_of(data, workload.batch_size)
    logits = program.forward(program.put(scale(workload, batch)))
    require_rung("forward", [compare_tensors("logits", logits, student.forward(batch[0]))])


@ALL
def test_gradients_of_a_script_are_ours(
    backend: Backend, data: mnist.Mnist, workload: Workload
) -> None:
    program, student = build_and_load(backend, workload)
    batch = images_of(data, workload.batch_size)
    _, expected = program.gradients(program.put(scale(workload, batch)))
    received = student.gradients(*batch)
    differences = [compare_tensors(name, expected[name], received[name]) for name in expected]
    require_rung("gradient", differences)


@ALL
def test_a_step_and_a_short_training_of_a_script_are_ours(
    backend: Backend, data: mnist.Mnist, workload: Workload
) -> None:
    """Weights and the returned loss are compared; a step is a training of one batch."""
    program, student = build_both(backend, workload)
    kind = kind_of(backend, workload)
    for rung, count in (("update", workload.batch_size), ("fit", count_of(backend, workload))):
        load(workload, program, student)
        batch = images_of(data, count)
        loss, _ = program.fit(*scale(workload, batch), workload.batch_size)
        assert student.train(*batch) == pytest.approx(loss, rel=gate("float32", f"fit loss {kind}"))
        require_rung(rung, updates(workload, program, student), kind)


@ALL
def test_the_evaluation_of_a_script_is_ours(
    backend: Backend, data: mnist.Mnist, workload: Workload
) -> None:
    """Dropout is off in evaluation."""
    program, student = build_and_load(backend, workload, dropout=True)
    batch = images_of(data, count_of(backend, workload))
    expected = program.evaluate(*scale(workload, batch), workload.batch_size)
    assert student.evaluate(*batch) == pytest.approx(expected, rel=1e-5)


def test_dropout_is_on_in_training_after_an_evaluation_too(
    backend: Backend, data: mnist.Mnist
) -> None:
    _, student = build_both(backend, CNN, dropout=True)
    batch = images_of(data, CNN.batch_size)
    losses = []
    for _ in range(2):
        student.load(draw(CNN, seed=3))
        student.evaluate(*batch)
        losses.append(student.train(*batch))
    # the masks differ, which is more than rounding
    assert losses[0] != pytest.approx(losses[1], rel=1e-4)
