"""The calibration in virtual time, what a pilot sends of it, and the rates that follow."""

import time
from collections.abc import Callable

import pytest
from pydantic import ValidationError

from bench import mnist
from bench.record.calibration import AccumulateModel, ProductModel, RepeatsModel, calibrations
from bench.spec import Cell, Execution
from bench.worker import pilot
from bench.worker.measure.calibration import (
    LARGE,
    STREAM_BYTES,
    Stopwatch,
    calibrate,
    dense_products,
    rounds,
)
from bench.worker.messages import PilotTask, Process
from bench.workloads import MLP_512
from tests.fakes.adapter import ACCUMULATE_SECONDS, CLOCK, PRODUCT_SECONDS, Clock, FakeBackend

CPU = Execution(device="cpu", batch_size=128)
GPU = Execution(device="cuda:0", batch_size=128)
CELL = Cell(workload="mlp-512", backend="fake", execution=CPU)
DEEPER = Cell(workload="mlp-512-256", backend="fake", execution=CPU)


class Device:
    """Calls that take exact seconds of virtual time, queued until someone synchronizes."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.queued = 0.0
        self.syncs = 0
        self.made: list[str] = []
        self.watch = Stopwatch(synchronize=self.synchronize, clock=self.clock)

    def synchronize(self) -> None:
        self.syncs += 1
        self.clock.seconds += self.queued
        self.queued = 0.0

    def call(self, seconds: float, name: str = "", first: float = 0.0) -> Callable[[], object]:
        """`first` seconds more in its first call."""

        def run() -> None:
            self.queued += seconds if name in self.made else first + seconds
            self.made.append(name)

        return run


class Asked(FakeBackend):
    """Notes what it is asked for."""

    def __init__(self) -> None:
        super().__init__("fake")
        self.products: list[tuple[int, int, int]] = []
        self.counts: list[int] = []

    def product(self, left, right, execution):
        assert left.shape[1] == right.shape[0]
        self.products.append((*left.shape, right.shape[1]))
        return super().product(left, right, execution)

    def accumulate(self, count, execution):
        self.counts.append(count)
        return super().accumulate(count, execution)


def calibrated(backend: FakeBackend, *cells: Cell, execution: Execution = CPU) -> dict:
    program = backend.build(MLP_512, execution)
    return calibrate(backend, program, cells, execution, CLOCK)


def test_a_batch_is_long_enough_to_hide_the_synchronization():
    device = Device()
    assert device.watch.batch(device.call(1 / 1024)) == 8
    # once to warm up, then 1, 2, 4 and 8
    assert len(device.made) == 16
    assert device.syncs == 10


def test_a_repeat_is_whole_batches_and_no_shorter_than_asked():
    device = Device()
    assert device.watch.repeat(device.call(1 / 1024), 8, 0.05) == (56, 56 / 1024)
    assert device.watch.repeat(device.call(0.5), 1, 0.05) == (1, 0.5)


def test_a_first_call_that_compiles_is_in_no_repeat():
    device = Device()
    (found,) = rounds(device.watch, [device.call(1 / 16, first=8.0)], 1.0, 0.05)
    assert set(found["seconds"]) == {1 / 16}


def test_calls_take_turns():
    device = Device()
    calls = [device.call(1 / 16, "left"), device.call(1 / 16, "right")]
    rounds(device.watch, calls, 100.0, 0.05)
    assert device.made == ["left"] * 2 + ["right"] * 2 + ["left", "right"] * 5


@pytest.mark.parametrize(("budget", "repeats"), [(0, 2), (4.9, 2), (5.0, 3), (6.5, 4), (99, 5)])
def test_another_round_needs_room_in_the_budget(budget, repeats):
    """Sizing takes 2 s of it here, and each round 1 s."""
    device = Device()
    (found,) = rounds(device.watch, [device.call(1.0)], budget, 0.05)
    assert found == {"calls": [1] * repeats, "seconds": [1.0] * repeats}


def test_nothing_to_repeat_takes_no_time():
    device = Device()
    assert rounds(device.watch, [], 1.0, 0.05) == []
    assert device.clock.seconds == 0.0


def test_each_shape_of_a_dense_layer_counts_once():
    assert dense_products([CELL, DEEPER]) == [
        (128, 784, 512), (128, 512, 10), (128, 512, 256), (128, 256, 10)
    ]  # fmt: skip
    cnn = Cell(workload="cnn", backend="fake", execution=Execution(device="cpu", batch_size=32))
    assert dense_products([cnn]) == [(32, 3136, 1000), (32, 1000, 10)]


def test_a_calibration_holds_raw_calls_and_seconds():
    backend = Asked()
    found = calibrated(backend, CELL)
    # the smallest counts of calls that take 50 ms, and 20 ms for each dense layer
    product = {"calls": [4] * 5, "seconds": [4 * PRODUCT_SECONDS] * 5}
    dense = {"calls": [2] * 5, "seconds": [2 * PRODUCT_SECONDS] * 5}
    stream = {"calls": [7] * 5, "seconds": [7 * ACCUMULATE_SECONDS] * 5}
    assert found["large"] == {"rows": 2048, "inner": 2048, "columns": 2048, **product}
    assert found["accumulate"] == {"array_bytes": 64 * 2**20, **stream}
    assert found["launch"] is None
    assert found["dense"] == [
        {"rows": 128, "inner": 784, "columns": 512, **dense},
        {"rows": 128, "inner": 512, "columns": 10, **dense},
    ]
    assert backend.products == [LARGE, (128, 784, 512), (128, 512, 10)]
    assert backend.counts == [2**24]
    made = (22 + 2 * 12) * PRODUCT_SECONDS + (2 + 5 * 7) * ACCUMULATE_SECONDS
    assert found["wall_seconds"] == made < 2.5


def test_on_a_gpu_arrays_are_larger_and_a_launch_is_timed():
    backend = Asked()
    found = calibrated(backend, execution=GPU)
    assert backend.counts == [STREAM_BYTES["cuda"] // 4, 1]
    assert found["launch"] == {"calls": [7] * 5, "seconds": [7 * ACCUMULATE_SECONDS] * 5}


def piloted(name: str, patch: pytest.MonkeyPatch, data: mnist.Mnist, *cells: Cell) -> dict:
    # a fake replaces this process's clock; the end of the patch brings it back
    patch.setattr(time, "perf_counter", time.perf_counter)
    patch.setattr(mnist, "load", lambda: data)
    task = PilotTask(backend=name, adapter="tests.fakes.adapter", cells=list(cells))
    process = Process(
        result_descriptor=1,
        turn_descriptor=None,
        spawned_monotonic=time.monotonic(),
        cache_folder=None,
    )
    job = pilot.PilotJob(task, process, lambda event: None)
    job.run()
    return job.result


def test_a_pilot_calibrates_once_for_all_its_cells(monkeypatch, data):
    made: list[object] = []
    monkeypatch.setattr(pilot, "calibrate", lambda *given: made.append(given) or calibrate(*given))
    result = piloted("fake", monkeypatch, data, CELL, DEEPER)
    assert len(made) == 1
    (found,) = calibrations("fake", result["calibrations"])
    assert (found.backend, found.device, found.precision) == ("fake", "cpu", "float32")
    assert found.attained.large.operations_per_second == 2 * 2048**3 / PRODUCT_SECONDS
    assert [one.shape for one in found.attained.dense] == dense_products([CELL, DEEPER])
    assert [entry["status"] for entry in result["cells"]] == ["ok", "ok"]


def test_a_backend_that_can_not_be_calibrated_is_still_piloted(monkeypatch, data):
    result = piloted("fake-uncalibrated", monkeypatch, data, CELL)
    (found,) = calibrations("fake-uncalibrated", result["calibrations"])
    assert found.attained is None
    assert found.missing == "NotImplementedError: no product"
    assert [entry["status"] for entry in result["cells"]] == ["ok"]


def test_a_pilot_of_no_cell_has_no_calibration(monkeypatch, data):
    assert "calibrations" not in piloted("fake", monkeypatch, data)


def test_rates_are_those_of_the_best_repeat():
    repeats = {"calls": [4, 2, 4], "seconds": [1.0, 0.25, 2.0]}
    assert RepeatsModel(**repeats).call_seconds == 0.125
    product = ProductModel(rows=2, inner=3, columns=5, **repeats)
    assert product.operations_per_second == 2 * 2 * 3 * 5 / 0.125
    assert AccumulateModel(array_bytes=100, **repeats).bytes_per_second == 300 / 0.125


@pytest.mark.parametrize(
    "repeats",
    [
        {"calls": [1, 1], "seconds": [0.5]},
        {"calls": [], "seconds": []},
        {"calls": [1], "seconds": [0.0]},
        {"calls": [0], "seconds": [0.5]},
    ],
)
def test_repeats_without_a_rate_are_refused(repeats):
    with pytest.raises(ValidationError):
        RepeatsModel(**repeats)
