"""The rungs of dropout: on masks as they should be, and as planted bugs leave them."""

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


def kept(rate: float = 0.25, steps: int = STEPS, seed: int = 0) -> np.ndarray:
    """1 where a value was kept, at this rate."""
    return (np.random.RandomState(seed).rand(steps, VALUES) >= rate).astype(np.float64)


def failing(values: np.ndarray, rate: float = 0.25) -> list[str]:
    masks = Masks(kept=values, rate=rate)
    measured = {
        "share": share("dropout_0", masks).measured,
        "scale": scale("dropout_0", masks).measured,
        "masks": repetition("dropout_0", masks).measured,
    }
    return [name for name, one in measured.items() if not one <= gate("float32", f"dropout {name}")]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("rate", [0.1, 0.25, 0.5])
def test_dropout_as_it_should_be_passes(rate, seed):
    assert failing(kept(rate, seed=seed), rate) == []


def test_float32_noise_in_the_scale_passes():
    noise = 1 + 1e-5 * np.random.RandomState(0).randn(STEPS, VALUES)
    assert failing(kept() * noise) == []


@pytest.mark.parametrize(
    ("values", "failed"),
    [
        # the survivors of another rate are scaled by that rate
        (kept(0.75) * 0.75 / 0.25, ["share", "scale"]),
        (kept(0.3) * 0.75 / 0.7, ["share", "scale"]),
        (kept(0.3), ["share"]),
        # off in training: every value is kept, and none scaled
        (np.full((STEPS, VALUES), 0.75), ["share", "scale", "masks"]),
        (np.ones((STEPS, VALUES)), ["share", "masks"]),
        (np.zeros((STEPS, VALUES)), ["share", "masks"]),
        (kept() * 0.75, ["scale"]),
        (np.repeat(kept(steps=1), STEPS, axis=0), ["masks"]),
    ],
    ids=["rate turned round", "another rate", "scaled for the right rate", "off", "nothing dropped",
         "everything dropped", "unscaled", "frozen"],
)  # fmt: skip
def test_dropout_that_is_wrong_fails(values, failed):
    assert failing(values) == failed


def test_a_mask_that_comes_back_once_fails():
    values = kept()
    values[4] = values[3]
    assert failing(values) == ["masks"]


def test_a_survivor_that_is_no_number_fails_and_fits_a_record():
    values = kept()
    values[2, 7] = np.nan
    assert scale("dropout_0", Masks(kept=values, rate=0.25)).measured == LARGEST


def test_both_sides_are_told():
    masks = Masks(kept=kept() * 0.75, rate=0.25)
    assert scale("dropout_0", masks).sides == "expected 1.33333, received 1"
    told = share("dropout_0", masks).sides
    assert told.startswith("expected 0.25 within 0.0028, received 0.2")


def test_a_dropout_is_read_behind_the_next_dense_layer():
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
    """Trains the tiny workload with masks of its own, as `read_masks` asks it to."""

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


def test_masks_are_read_out_of_the_weights(tiny):
    masks = read_masks(
        lambda workload: Dropping(workload, CPU), TINY_DROPOUT, tiny, "dropout_0", KERNEL
    )
    # a pixel that is next to black has no gradient to read
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


def test_a_workload_without_dropout_has_no_such_rung(tiny):
    assert list(rungs(lambda workload: pytest.fail("built"), MLP_512, "float32", tiny)) == []
