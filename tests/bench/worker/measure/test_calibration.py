"""A calibration takes exact virtual time, a pilot sends it, and rates follow from it."""

import os
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
    """A device with calls that take exact seconds of virtual time, queued until a sync."""

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
        """Return a call that takes `first` seconds more when it is called first."""

        def run() -> None:
            self.queued += seconds if name in self.made else first + seconds
            self.made.append(name)

        return run


class RecordingBackend(FakeBackend):
    """A fake backend that notes the shapes and counts that it is called with."""

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


def run_calibration(backend: FakeBackend, *cells: Cell, execution: Execution = CPU) -> dict:
    program = backend.build(MLP_512, execution)
    return calibrate(backend, program, cells, execution, CLOCK)


def test_a_batch_is_long_enough_to_hide_the_synchronization():
    device = Device()
    assert device.watch.batch(device.call(1 / 1024)) == 8
    # one call to warm up, then 1, 2, 4 and 8
    assert len(device.made) == 16
    assert device.syncs == 10


def test_a_repeat_has_complete_batches_and_the_shortest_allowed_time():
    device = Device()
    assert device.watch.repeat(device.call(1 / 1024), 8, 0.05) == (56, 56 / 1024)
    assert device.watch.repeat(device.call(0.5), 1, 0.05) == (1, 0.5)


def test_a_first_call_that_compiles_is_in_no_repeat():
    device = Device()
    (repeats,) = rounds(device.watch, [device.call(1 / 16, first=8.0)], 1.0, 0.05)
    assert set(repeats["seconds"]) == {1 / 16}


def test_calls_take_turns():
    device = Device()
    calls = [device.call(1 / 16, "left"), device.call(1 / 16, "right")]
    rounds(device.watch, calls, 100.0, 0.05)
    assert device.made == ["left"] * 2 + ["right"] * 2 + ["left", "right"] * 5


@pytest.mark.parametrize(("budget", "count"), [(0, 2), (4.9, 2), (5.0, 3), (6.5, 4), (99, 5)])
def test_another_round_needs_room_in_the_budget(budget, count):
    """Choosing the size of a batch takes 2 s of the budget, and each round 1 s."""
    device = Device()
    (repeats,) = rounds(device.watch, [device.call(1.0)], budget, 0.05)
    assert repeats == {"calls": [1] * count, "seconds": [1.0] * count}


def test_without_calls_a_calibration_takes_no_time():
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
    backend = RecordingBackend()
    result = run_calibration(backend, CELL)
    # the smallest counts of calls that take 50 ms, or 20 ms for a dense layer
    product = {"calls": [4] * 5, "seconds": [4 * PRODUCT_SECONDS] * 5}
    dense = {"calls": [2] * 5, "seconds": [2 * PRODUCT_SECONDS] * 5}
    stream = {"calls": [7] * 5, "seconds": [7 * ACCUMULATE_SECONDS] * 5}
    assert result["large"] == {"rows": 2048, "inner": 2048, "columns": 2048, **product}
    assert result["accumulate"] == {"array_bytes": 64 * 2**20, **stream}
    assert result["launch"] is None
    assert result["dense"] == [
        {"rows": 128, "inner": 784, "columns": 512, **dense},
        {"rows": 128, "inner": 512, "columns": 10, **dense},
    ]
    assert backend.products == [LARGE, (128, 784, 512), (128, 512, 10)]
    assert backend.counts == [2**24]
    seconds = (22 + 2 * 12) * PRODUCT_SECONDS + (2 + 5 * 7) * ACCUMULATE_SECONDS
    assert result["wall_seconds"] == seconds < 2.5


def test_on_a_gpu_arrays_are_larger_and_a_launch_is_timed():
    backend = RecordingBackend()
    result = run_calibration(backend, execution=GPU)
    assert backend.counts == [STREAM_BYTES["cuda"] // 4, 1]
    assert result["launch"] == {"calls": [7] * 5, "seconds": [7 * ACCUMULATE_SECONDS] * 5}


def run_pilot(name: str, patch: pytest.MonkeyPatch, data: mnist.Mnist, *cells: Cell) -> dict:
    # the fake replaces this process's clock; the end of the patch restores it
    patch.setattr(time, "perf_counter", time.perf_counter)
    patch.setattr(mnist, "load", lambda: data)
    task = PilotTask(backend=name, adapter="tests.fakes.adapter", cells=list(cells))
    read_end, write_end = os.pipe()
    process = Process(
        result_descriptor=write_end,
        turn_descriptor=read_end,
        spawned_monotonic=time.monotonic(),
        cache_folder=None,
    )
    job = pilot.PilotJob(task, process, lambda event: None)
    try:
        job.run()
    finally:
        os.close(read_end)
        os.close(write_end)
    return job.result


def test_a_pilot_calibrates_once_for_all_its_cells(monkeypatch, data):
    calls: list[object] = []
    monkeypatch.setattr(pilot, "calibrate", lambda *args: calls.append(args) or calibrate(*args))
    result = run_pilot("fake", monkeypatch, data, CELL, DEEPER)
    assert len(calls) == 1
    (calibration,) = calibrations("fake", result["calibrations"])
    assert (calibration.backend, calibration.device, calibration.precision) == (
        "fake",
        "cpu",
        "float32",
    )
    assert calibration.attained.large.operations_per_second == 2 * 2048**3 / PRODUCT_SECONDS
    shapes = [product.shape for product in calibration.attained.dense]
    assert shapes == dense_products([CELL, DEEPER])
    assert [entry["status"] for entry in result["cells"]] == ["ok", "ok"]


def test_a_backend_that_can_not_be_calibrated_is_still_piloted(monkeypatch, data):
    result = run_pilot("fake-uncalibrated", monkeypatch, data, CELL)
    (calibration,) = calibrations("fake-uncalibrated", result["calibrations"])
    assert calibration.attained is None
    assert calibration.missing == "NotImplementedError: no product"
    assert [entry["status"] for entry in result["cells"]] == ["ok"]


def test_a_pilot_without_cells_has_no_calibration(monkeypatch, data):
    assert "calibrations" not in run_pilot("fake", monkeypatch, data)


def test_rates_are_from_the_fastest_repeat():
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
