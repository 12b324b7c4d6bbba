"""Rungs that train, where a training leaves the oracle's, and a step as files."""

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
    """Right in every step but one, where one thing is off by a thousandth."""

    def __init__(self, step: int, what: str, execution: Execution = EXACT) -> None:
        super().__init__(TINY, execution)
        self.step, self.what = step, what

    def load(self, parameters: Any, seed: int) -> None:
        super().load(parameters, seed)
        self.steps = 0

    def off(self, what: str) -> float:
        """The factor of `what` in the step that comes next."""
        return 1.001 if (self.steps + 1, what) == (self.step, self.what) else 1.0

    def forward(self, batch: Any) -> Array:
        return super().forward(batch) * self.off("logits")

    def gradients(self, batch: Any) -> tuple[float, dict[str, Array]]:
        loss, gradients = super().gradients(batch)
        strayed = {
            name: value * self.off(f"gradient of {name}") for name, value in gradients.items()
        }
        return loss * self.off("loss"), strayed

    def train_step(self, batch: Any) -> None:
        factors = {name: self.off(f"update of {name}") for name in self._parameters}
        before = {name: value.copy() for name, value in self._oracle.parameters.items()}
        super().train_step(batch)
        for name, value in self._oracle.parameters.items():
            self._oracle.parameters[name] = before[name] + factors[name] * (value - before[name])


@pytest.fixture(scope="module")
def ladder(data: mnist.Mnist) -> Ladder:
    return Ladder(lambda workload: FakeProgram(workload, EXACT), TINY, EXACT, data, 0)


@pytest.fixture(scope="module")
def taken(ladder: Ladder) -> Sequence[Batch]:
    return list(ladder.batches(4))


def located(program: FakeProgram, ladder: Ladder, taken: Sequence[Batch]) -> str:
    return divergence(program, TINY, ladder.parameters, taken, "float64", "matched", 0)


THINGS = [
    "logits",
    "loss",
    *(f"{kind} of {name}" for kind in ("gradient", "update") for name in TINY.parameter_shapes()),
]


@pytest.mark.parametrize("what", THINGS)
@pytest.mark.parametrize("step", [1, 3])
def test_the_step_and_the_tensor_that_go_wrong_are_named(ladder, taken, step, what):
    told = located(Straying(step, what), ladder, taken)
    assert told.startswith(f"first at step {step}: {what} (")
    assert "measured 0.001, gate 1e-1" in told


def test_a_training_that_never_leaves_the_gates_is_told(ladder, taken):
    told = located(FakeProgram(TINY, EXACT), ladder, taken)
    assert told == "no single step passes a gate: the difference adds up over steps"


def test_a_trajectory_names_the_loss_and_the_step_before_that_bent_it(ladder):
    rung = ladder.trajectory(Straying(3, "update of dense_0/kernel"), 6)
    assert not rung.passed
    loss, _, place = rung.where.partition("; ")
    assert loss.startswith("loss of step 4 of 6 (expected ")
    assert place.startswith("first at step 3: update of dense_0/kernel (change of [")


def test_a_trajectory_that_follows_the_oracle_passes(ladder):
    rung = ladder.trajectory(FakeProgram(TINY, EXACT), 6)
    assert (rung.rung, rung.passed, rung.measured) == ("trajectory", True, 0.0)


def test_only_float32_stops_where_a_relu_may_flip(ladder, data, monkeypatch):
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
    """Its own loop drops the partial batch."""

    def fit(self, images: Array, labels: Array, batch_size: int) -> tuple[float, float]:
        whole = len(labels) // batch_size * batch_size
        return super().fit(images[:whole], labels[:whole], batch_size)


class UnweightedFit(FakeProgram):
    """The mean over batches instead of that over images."""

    def take_metrics(self) -> tuple[float, float]:
        self._metrics = [(loss, accuracy, 1) for loss, accuracy, _ in self._metrics]
        return super().take_metrics()


@pytest.mark.parametrize(
    ("program", "failed"),
    [(FakeProgram, []), (HalfFit, ["fit", "fit loss"]), (UnweightedFit, ["fit loss"])],
)
def test_the_frameworks_own_loop_has_rungs_of_its_own(ladder, program, failed):
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
    whole = dumped["batch"].pop("y")
    floats = [array for arrays in dumped.values() for array in arrays.values()]
    dumped["batch"]["y"] = whole
    assert {array.dtype for array in floats} == {np.dtype(np.float64)}
    assert np.issubdtype(whole.dtype, np.integer)


def test_a_dumps_batch_is_one_of_mnist(dumped):
    x, y = dumped["batch"]["x"], dumped["batch"]["y"]
    assert (x.shape, y.shape) == ((128, 784), (128,))
    assert (x.min(), x.max()) == (0.0, 1.0)
    assert set(y) == set(range(10))


def test_a_dump_can_be_checked_from_its_files_alone(dumped):
    """By the oracle here; by anyone's own code elsewhere."""
    x, y, out = dumped["batch"]["x"], dumped["batch"]["y"], dumped["out"]
    found = oracle.run(TINY, dumped["weights"], x, y)
    np.testing.assert_array_equal(out["logits"], found.logits)
    assert out["loss"] == found.loss
    for name, gradient in found.gradients.items():
        np.testing.assert_array_equal(out[f"grad:{name}"], gradient)
    training = oracle.Oracle(TINY, dumped["weights"])
    for number in range(1, 11):
        training.step(x, y)
        if number in (1, 10):
            for name, value in training.parameters.items():
                np.testing.assert_array_equal(out[f"w{number}:{name}"], value)


def test_stock_math_has_an_oracle_of_its_own(data):
    """Torch's own Adam against Keras' equations is off by more than any gate."""
    from dataclasses import replace

    adam = replace(TINY, optimizer=ADAM)
    for math, passed in (("matched", True), ("stock", False)):
        how = replace(EXACT, optimizer=math)
        one = Ladder(lambda workload: FakeProgram(workload, EXACT), adam, how, data, 0)
        *_, update = islice(one.training(FakeProgram(adam, EXACT)), 2)
        assert (update.rung, update.passed) == ("update", passed)
