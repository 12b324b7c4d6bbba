"""Rungs that train, the step at which a training leaves the oracle's, and a step as files."""

from collections.abc import Sequence
from itertools import islice
from typing import Any

import numpy as np
import pytest

from bench import mnist
from bench.adapter import Array, Batch
from bench.parity import ladder as climbing
from bench.parity import oracle
from bench.parity.dump import dump
from bench.parity.ladder import Ladder
from bench.parity.locate import divergence
from bench.spec import ADAM, Cell, Execution
from tests.fakes.adapter import FakeProgram
from tests.fakes.workloads import TINY

EXACT = Execution(device="cpu", batch_size=128, precision="float64")
SINGLE = Execution(device="cpu", batch_size=128, precision="float32")
CELL = Cell(workload="tiny", backend="fake", execution=EXACT)


class Straying(FakeProgram):
    """A program that is right except in one step, in which one tensor is off by a thousandth."""

    def __init__(self, step: int, what: str, execution: Execution = EXACT) -> None:
        super().__init__(TINY, execution)
        self.step, self.what = step, what

    def load(self, parameters: Any, seed: int) -> None:
        super().load(parameters, seed)
        self.steps = 0

    def factor(self, what: str) -> float:
        """Return the factor of the tensor `what` in the next step."""
        return 1.001 if (self.steps + 1, what) == (self.step, self.what) else 1.0

    def forward(self, batch: Any) -> Array:
        return super().forward(batch) * self.factor("logits")

    def gradients(self, batch: Any) -> tuple[float, dict[str, Array]]:
        loss, gradients = super().gradients(batch)
        changed = {
            name: value * self.factor(f"gradient of {name}") for name, value in gradients.items()
        }
        return loss * self.factor("loss"), changed

    def train_step(self, batch: Any) -> None:
        factors = {name: self.factor(f"update of {name}") for name in self._parameters}
        before = {name: value.copy() for name, value in self._oracle.parameters.items()}
        super().train_step(batch)
        for name, value in self._oracle.parameters.items():
            self._oracle.parameters[name] = before[name] + factors[name] * (value - before[name])


@pytest.fixture(scope="module")
def ladder(data: mnist.Mnist) -> Ladder:
    return Ladder(lambda workload: FakeProgram(workload, EXACT), TINY, EXACT, data, 0)


@pytest.fixture(scope="module")
def steps(ladder: Ladder) -> Sequence[Batch]:
    return list(ladder.batches(4))


def locate(program: FakeProgram, ladder: Ladder, steps: Sequence[Batch]) -> str:
    return divergence(program, TINY, ladder.parameters, steps, "float64", "matched", 0)


TENSORS = [
    "logits",
    "loss",
    *(f"{kind} of {name}" for kind in ("gradient", "update") for name in TINY.parameter_shapes()),
]


@pytest.mark.parametrize("what", TENSORS)
@pytest.mark.parametrize("step", [1, 3])
def test_the_step_and_the_tensor_that_are_wrong_are_named(ladder, steps, step, what):
    place = locate(Straying(step, what), ladder, steps)
    assert place.startswith(f"first at step {step}: {what} (")
    assert "measured 0.001, gate 1e-1" in place


def test_a_training_that_never_leaves_the_gates_says_so(ladder, steps):
    place = locate(FakeProgram(TINY, EXACT), ladder, steps)
    assert place == "no single step passes a gate: the difference adds up over steps"


def test_a_trajectory_names_the_loss_and_the_earlier_step_that_changed_it(ladder):
    rung = ladder.trajectory(Straying(3, "update of dense_0/kernel"), 6)
    assert not rung.passed
    loss, _, place = rung.where.partition("; ")
    assert loss.startswith("loss of step 4 of 6 (expected ")
    assert place.startswith("first at step 3: update of dense_0/kernel (change of [")


def test_a_trajectory_that_follows_the_oracle_passes(ladder):
    rung = ladder.trajectory(FakeProgram(TINY, EXACT), 6)
    assert (rung.rung, rung.passed, rung.measured) == ("trajectory", True, 0.0)


def test_only_float32_stops_before_a_relu_may_flip(ladder, data, monkeypatch):
    """A flip in the third step's gradient would show in the fourth step's loss."""
    monkeypatch.setattr(climbing, "clear_steps", lambda *_: 3)
    exact, single = FakeProgram(TINY, EXACT), FakeProgram(TINY, SINGLE)
    ladder.trajectory(exact, 6)
    build = lambda workload: FakeProgram(workload, SINGLE)  # noqa: E731
    Ladder(build, TINY, SINGLE, data, 0).trajectory(single, 6)
    assert (exact.steps, single.steps) == (6, 3)


def test_the_short_certificate_trains_the_programs_own_step(ladder):
    program = Straying(1, "update of dense_1/kernel")
    rungs = list(ladder.short(program))
    assert [(rung.rung, rung.passed) for rung in rungs] == [
        ("forward", True), ("gradient", True), ("update", False),
    ]  # fmt: skip
    assert rungs[-1].where.startswith("dense_1/kernel, full batch (change of [")


class HalfFit(FakeProgram):
    """A program whose own loop drops the partial batch."""

    def fit(self, images: Array, labels: Array, batch_size: int) -> tuple[float, float]:
        whole = len(labels) // batch_size * batch_size
        return super().fit(images[:whole], labels[:whole], batch_size)


class UnweightedFit(FakeProgram):
    """A program that averages over batches instead of images."""

    def take_metrics(self) -> tuple[float, float]:
        self._metrics = [(loss, accuracy, 1) for loss, accuracy, _ in self._metrics]
        return super().take_metrics()


@pytest.mark.parametrize(
    ("program", "failed"),
    [(FakeProgram, []), (HalfFit, ["fit", "fit loss"]), (UnweightedFit, ["fit loss"])],
)
def test_the_frameworks_own_loop_has_its_own_rungs(ladder, program, failed):
    rungs = list(ladder.fit(program(TINY, EXACT)))
    assert [rung.rung for rung in rungs] == ["fit", "fit loss"]
    assert [rung.rung for rung in rungs if not rung.passed] == failed


@pytest.fixture(scope="module")
def dumped(ladder: Ladder, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Array]]:
    folder = tmp_path_factory.mktemp("dump")
    dump(ladder, folder, CELL)
    return {
        name: dict(np.load(folder / "tiny" / "fake" / f"{name}.npz", allow_pickle=False))
        for name in ("weights", "batch", "out")
    }


NAMES = list(TINY.parameter_shapes())


def test_a_dump_has_the_documented_arrays(dumped):
    assert list(dumped["weights"]) == NAMES
    assert list(dumped["batch"]) == ["x", "y"]
    steps = [f"{kind}:{name}" for kind in ("grad", "w1", "w10") for name in NAMES]
    assert list(dumped["out"]) == ["logits", "loss", *steps]
    labels = dumped["batch"].pop("y")
    floats = [array for arrays in dumped.values() for array in arrays.values()]
    dumped["batch"]["y"] = labels
    assert {array.dtype for array in floats} == {np.dtype(np.float64)}
    assert np.issubdtype(labels.dtype, np.integer)


def test_the_batch_of_a_dump_is_from_mnist(dumped):
    x, y = dumped["batch"]["x"], dumped["batch"]["y"]
    assert (x.shape, y.shape) == ((128, 784), (128,))
    assert (x.min(), x.max()) == (0.0, 1.0)
    assert set(y) == set(range(10))


def test_a_dump_can_be_checked_from_its_files_alone(dumped):
    """The oracle checks it here; a user may check it with other code."""
    x, y, out = dumped["batch"]["x"], dumped["batch"]["y"], dumped["out"]
    expected = oracle.run(TINY, dumped["weights"], x, y)
    np.testing.assert_array_equal(out["logits"], expected.logits)
    assert out["loss"] == expected.loss
    for name, gradient in expected.gradients.items():
        np.testing.assert_array_equal(out[f"grad:{name}"], gradient)
    training = oracle.Oracle(TINY, dumped["weights"])
    for number in range(1, 11):
        training.step(x, y)
        if number in (1, 10):
            for name, value in training.parameters.items():
                np.testing.assert_array_equal(out[f"w{number}:{name}"], value)


def test_stock_math_has_its_own_oracle(data):
    """Torch's own Adam differs from Keras' equations by more than any gate."""
    from dataclasses import replace

    adam = replace(TINY, optimizer=ADAM)
    for math, passed in (("matched", True), ("stock", False)):
        how = replace(EXACT, optimizer=math)
        climbed = Ladder(lambda workload: FakeProgram(workload, EXACT), adam, how, data, 0)
        *_, update = islice(climbed.training(FakeProgram(adam, EXACT)), 2)
        assert (update.rung, update.passed) == ("update", passed)
