"""The rungs of dropout pass on correct masks and fail on the masks of planted bugs."""

from dataclasses import replace

import numpy as np
import pytest

from bench.errors import UsageError
from bench.parity import oracle
from bench.parity.dropout import (
    RATE,
    STEPS,
    Masks,
    read_masks,
    repetition,
    rungs,
    scale,
    share,
    sites,
)
from bench.parity.gates import gate
from bench.parity.probe import Probe, probe, remove_dropout
from bench.parity.rungs import LARGEST
from bench.spec import Conv2D, Dense, Dropout, Execution, Flatten
from bench.workloads import CNN, MLP_512
from tests.fakes.adapter import FakeProgram
from tests.fakes.workloads import TINY_DROPOUT

VALUES = 3_000
KERNEL = "dense_0/kernel"


def draw_kept(rate: float = 0.25, steps: int = STEPS, seed: int = 0) -> np.ndarray:
    """Return 1 for each value that dropout kept, and 0 for the others."""
    return (np.random.RandomState(seed).rand(steps, VALUES) >= rate).astype(np.float64)


def failed_rungs(values: np.ndarray, rate: float = 0.25) -> list[str]:
    masks = Masks(kept=values, rate=rate)
    measured = {
        "share": share("dropout_0", masks).measured,
        "scale": scale("dropout_0", masks).measured,
        "masks": repetition("dropout_0", masks).measured,
    }
    return [
        name for name, value in measured.items() if not value <= gate("float32", f"dropout {name}")
    ]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("rate", [0.1, 0.25, 0.5])
def test_correct_dropout_passes(rate, seed):
    assert failed_rungs(draw_kept(rate, seed=seed), rate) == []


def test_float32_noise_in_the_scale_passes():
    noise = 1 + 1e-5 * np.random.RandomState(0).randn(STEPS, VALUES)
    assert failed_rungs(draw_kept() * noise) == []


@pytest.mark.parametrize(
    ("values", "failed"),
    [
        # the kept values are scaled for the rate at which they were drawn
        (draw_kept(0.75) * 0.75 / 0.25, ["share", "scale"]),
        (draw_kept(0.3) * 0.75 / 0.7, ["share", "scale"]),
        (draw_kept(0.3), ["share"]),
        # off in training: every value is kept, and no value is scaled
        (np.full((STEPS, VALUES), 0.75), ["share", "scale", "masks"]),
        (np.ones((STEPS, VALUES)), ["share", "masks"]),
        (np.zeros((STEPS, VALUES)), ["share", "masks"]),
        (draw_kept() * 0.75, ["scale"]),
        (np.repeat(draw_kept(steps=1), STEPS, axis=0), ["masks"]),
    ],
    ids=["rate turned round", "another rate", "scaled for the right rate", "off", "nothing dropped",
         "everything dropped", "unscaled", "frozen"],
)  # fmt: skip
def test_wrong_dropout_fails(values, failed):
    assert failed_rungs(values) == failed


def test_a_mask_that_is_repeated_once_fails():
    values = draw_kept()
    values[4] = values[3]
    assert failed_rungs(values) == ["masks"]


def test_a_kept_value_that_is_not_a_number_fails_and_fits_a_record():
    values = draw_kept()
    values[2, 7] = np.nan
    assert scale("dropout_0", Masks(kept=values, rate=0.25)).measured == LARGEST


def test_the_expected_and_the_received_value_are_reported():
    masks = Masks(kept=draw_kept() * 0.75, rate=0.25)
    assert scale("dropout_0", masks).sides == "expected 1.33333, received 1"
    sides = share("dropout_0", masks).sides
    assert sides.startswith("expected 0.25 within 0.0028, received 0.2")


def test_the_masks_of_a_dropout_are_read_from_the_next_dense_layer():
    assert sites(MLP_512) == {}
    assert sites(CNN) == {"dropout_0": "dense_0/kernel"}
    assert sites(TINY_DROPOUT) == {"dropout_0": KERNEL}


def test_a_dropout_before_a_convolution_is_refused():
    layers = (Dropout(rate=0.25), Conv2D(filters=2, kernel_size=3), Flatten(),
              Dense(units=10, activation="linear"))  # fmt: skip
    workload = replace(
        CNN, name="early", layers=layers, parameter_counts=(20, 15_690), published=()
    )
    with pytest.raises(UsageError, match="dropout_0 of early can't be certified") as caught:
        sites(workload)
    assert "Received: conv_0" in str(caught.value)


class Dropping(FakeProgram):
    """A program that trains the tiny workload with its own masks, as `read_masks` expects."""

    def train_step(self, batch):
        draws = np.random.RandomState(self.steps)
        self.steps += 1
        done = oracle.run(remove_dropout(TINY_DROPOUT), self._parameters, *batch)
        mask = (draws.rand(784, 1) >= 0.25) / 0.75
        self._parameters[KERNEL] = self._parameters[KERNEL] - RATE * mask * done.gradients[KERNEL]

    def parameters(self):
        return dict(self._parameters)


@pytest.fixture(scope="module")
def tiny(data) -> Probe:
    return probe(TINY_DROPOUT, data, 0)


CPU = Execution(device="cpu", batch_size=32, precision="float64")


def test_masks_are_read_from_the_weights(tiny):
    masks = read_masks(
        lambda workload: Dropping(workload, CPU), TINY_DROPOUT, tiny, "dropout_0", KERNEL
    )
    # an almost black pixel has no gradient to read
    lit = tiny.full[0][0] > 0.01
    drawn = [np.random.RandomState(step).rand(784)[lit] >= 0.25 for step in range(STEPS)]
    np.testing.assert_allclose(masks.kept, drawn, atol=1e-4)


def test_a_backend_with_dropout_passes_and_one_without_fails(tiny):
    def climb(program: type[FakeProgram]) -> list[tuple[str, bool]]:
        climbed = rungs(lambda workload: program(workload, CPU), TINY_DROPOUT, "float32", tiny)
        return [(rung.rung, rung.passed) for rung in climbed]

    names = ["dropout share", "dropout scale", "dropout masks"]
    assert climb(Dropping) == [(name, True) for name in names]
    # the fake trains as in evaluation
    assert climb(FakeProgram) == [(name, False) for name in names]


def test_a_workload_without_dropout_has_no_rung_of_dropout(tiny):
    assert list(rungs(lambda workload: pytest.fail("built"), MLP_512, "float32", tiny)) == []
