"""The weights and batches of the rungs, and the oracle's stored answers to long computations."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bench import mnist
from bench.errors import ParityError
from bench.parity import expected, oracle
from bench.parity.expected import clear_steps, key, losses, recall
from bench.parity.ladder import Ladder
from bench.parity.probe import KINK, batches, draw, partial_size, probe, sizes, tanh_twin
from bench.spec import Execution, Workload
from bench.workloads import CNN, MLP_512, MLP_512_256, MLP_1000
from tests.fakes.adapter import FakeProgram
from tests.fakes.workloads import TINY


@pytest.fixture(autouse=True)
def _cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SAMESTEP_CACHE", str(tmp_path))


@pytest.mark.parametrize(
    ("workload", "steps", "at", "size"),
    [
        # 60,000 images are 468 batches of 128 and one of 96
        (MLP_512, 500, 469, 96),
        (MLP_512, 469, 469, 96),
        (MLP_512, 10, 5, 96),
        # 100 and 32 leave no partial batch: the trajectory adds one halfway
        (MLP_1000, 500, 250, 75),
        (MLP_1000, 10, 5, 75),
        (CNN, 20, 10, 24),
    ],
    ids=lambda value: getattr(value, "name", value),
)
def test_a_trajectory_has_one_partial_batch(workload, steps, at, size):
    received = sizes(workload, steps)
    assert len(received) == steps
    others = {*received[: at - 1], *received[at:]}
    assert (received[at - 1], others) == (size, {workload.batch_size})
    assert partial_size(workload) == size


def test_a_single_step_has_a_full_batch():
    assert sizes(MLP_512, 1) == [128]


def test_batches_follow_the_order_of_a_training(data, monkeypatch):
    """They continue into the second epoch, which has its own order."""
    monkeypatch.setattr(mnist, "scaled", lambda images, shape: images)
    received = list(batches(data, MLP_512, 5, [59_990, 20]))
    order = np.concatenate([mnist.batch_order(5, epoch, 60_000) for epoch in (0, 1)])
    for (images, labels), chosen in zip(
        received, np.split(order, [59_990, 60_010])[:2], strict=True
    ):
        np.testing.assert_array_equal(labels, data.train_labels[chosen])
        np.testing.assert_array_equal(images[-1], data.train_images[chosen[-1]])
        assert len(images) == len(labels)


@pytest.mark.parametrize("workload", [TINY, MLP_512_256, CNN], ids=lambda value: value.name)
def test_probe_weights_are_a_trainings_except_for_the_biases(workload):
    drawn, initial = draw(workload, 2), mnist.initial_parameters(workload, 2)
    assert list(drawn) == list(initial)
    for name, value in drawn.items():
        assert (value.shape, value.dtype) == (initial[name].shape, np.float32)
        if name.endswith("/kernel"):
            np.testing.assert_array_equal(value, initial[name])
        else:
            assert value.all()
            assert np.abs(value).max() <= 0.1


def test_a_probe_keeps_away_from_every_kink(data):
    drawn = probe(TINY, data, 0)
    assert (len(drawn.full[1]), len(drawn.partial[1])) == (128, 96)
    training = oracle.Oracle(TINY, drawn.parameters)
    for images in (drawn.full[0], drawn.partial[0]):
        assert oracle.margins(TINY, training.parameters, images).min() > KINK
    training.step(*drawn.full)
    assert oracle.margins(TINY, training.parameters, drawn.partial[0]).min() > KINK


def test_images_near_a_kink_are_skipped(data, monkeypatch):
    """Every third image of the order is near a kink, and so is the first one left after a step."""
    order = mnist.batch_order(0, 0, 60_000)
    sizes = []

    def margins(workload, parameters, images):
        distances = np.ones(len(images))
        distances[slice(None, None, 3) if not sizes else slice(1)] = KINK
        sizes.append(len(images))
        return distances

    monkeypatch.setattr(oracle, "margins", margins)
    clear = [n for n in range(512) if n % 3]
    drawn = probe(TINY, data, 0)
    np.testing.assert_array_equal(drawn.full[1], data.train_labels[order[clear[:128]]])
    np.testing.assert_array_equal(drawn.partial[1], data.train_labels[order[clear[129:225]]])


def test_too_few_clear_images_are_an_error(data, monkeypatch):
    monkeypatch.setattr(oracle, "margins", lambda *_: np.zeros(512))
    with pytest.raises(ParityError, match=r"Expected: 128 in a batch\. Received: 0\. Take another"):
        probe(TINY, data, 0)


def ladder(data: mnist.Mnist, precision: str) -> Ladder:
    how = Execution(device="cpu", batch_size=128, precision=precision)
    return Ladder(lambda workload: FakeProgram(workload, how), TINY, how, data, 0)


def test_both_precisions_start_from_the_same_numbers(data):
    exact, single = ladder(data, "float64").parameters, ladder(data, "float32").parameters
    for name, value in single.items():
        assert (value.dtype, exact[name].dtype) == (np.float32, np.float64)
        np.testing.assert_array_equal(exact[name], value)


class CountedComputation:
    """A computation that counts its calls."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> list[float]:
        self.times += 1
        return [0.1, 1 / 3]


def test_a_computed_answer_is_stored():
    compute = CountedComputation()
    for _ in range(3):
        assert recall("name", TINY, compute) == [0.1, 1 / 3]
    assert compute.times == 1


def edit(path: Path) -> None:
    document = json.loads(path.read_text())
    path.write_text(json.dumps({**document, "values": [0.1, 0.25]}))


DAMAGES: dict[str, Callable[[Path], object]] = {
    "torn": lambda path: path.write_bytes(path.read_bytes()[:20]),
    "edited": edit,
    "empty": lambda path: path.write_text(""),
    "no object": lambda path: path.write_text("[1, 2]"),
    "no hash": lambda path: path.write_text(json.dumps({"values": [0.1]})),
    "not text": lambda path: path.write_bytes(b"\xff\xfe"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_answer_is_computed_and_stored_again(tmp_path, damage):
    compute = CountedComputation()
    recall("name", TINY, compute)
    (path,) = tmp_path.rglob("oracle/*.json")
    DAMAGES[damage](path)
    for _ in range(2):
        assert recall("name", TINY, compute) == [0.1, 1 / 3]
    assert compute.times == 2


def test_an_answer_that_can_not_be_stored_is_computed_each_time(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("SAMESTEP_CACHE", str(tmp_path / "file"))
    compute = CountedComputation()
    for times in (1, 2):
        assert recall("name", TINY, compute) == [0.1, 1 / 3]
        assert compute.times == times


def test_an_answer_is_computed_without_a_home(monkeypatch):
    def raise_no_home() -> Path:
        raise RuntimeError("no home")

    monkeypatch.delenv("SAMESTEP_CACHE")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(Path, "home", raise_no_home)
    assert recall("name", TINY, CountedComputation()) == [0.1, 1 / 3]


def test_the_key_changes_with_everything_that_affects_the_numbers(monkeypatch):
    own = key("name", TINY)
    assert key("name", replace(TINY)) == own
    others = [
        key("another", TINY),
        key("name", replace(TINY, batch_size=64)),
        key("name", replace(TINY, optimizer=replace(TINY.optimizer, decay=(0.99,)))),
        key("name", tanh_twin(TINY)),
    ]
    monkeypatch.setattr(np, "__version__", "9.9")
    others.append(key("name", TINY))
    assert len({own, *others}) == 6


def test_published_results_do_not_change_the_key():
    assert key("name", MLP_512) == key("name", replace(MLP_512, published=()))


@pytest.mark.parametrize("source", expected.SOURCES)
def test_the_key_changes_with_each_source_file_of_the_numbers(monkeypatch, source):
    own = key("name", TINY)
    others = tuple(other for other in expected.SOURCES if other != source)
    monkeypatch.setattr(expected, "SOURCES", others)
    assert key("name", TINY) != own


def test_losses_are_the_oracles(data):
    start = draw(TINY, 0)
    steps = list(batches(data, TINY, 0, [8, 8, 8]))
    for math in ("matched", "stock"):
        training = oracle.Oracle(TINY, start, math)
        expected = [training.step(*batch).loss for batch in steps]
        assert losses("three", TINY, start, lambda: steps, math) == expected


def test_steps_are_clear_until_a_step_is_near_a_kink(data):
    """That step is counted: a flip in it would show only in the loss of the next step."""
    start = draw(TINY, 0)
    steps = list(batches(data, TINY, 0, [8, 8, 8]))
    training = oracle.Oracle(TINY, start)
    margins = []
    for images, labels in steps:
        margins.append(oracle.margins(TINY, training.parameters, images).min())
        training.step(images, labels)

    def clear(nearest: float, workload: Workload = TINY) -> int:
        return clear_steps("three", workload, start, lambda: steps, "matched", nearest)

    assert clear(0.0) == 3
    assert clear(max(margins)) == 1
    assert clear(sorted(margins)[0]) == 1 + margins.index(min(margins))
    assert clear(1.0, tanh_twin(TINY)) == 3
