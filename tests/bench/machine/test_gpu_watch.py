"""A GPU is watched during a trial: values are read at the right times and recorded."""

from typing import Any

import pytest

from bench.machine.gpu_watch import FEWEST_FOR_USUAL, TIMED, GpuWatch, UsualClocks
from bench.machine.nvml import Reading
from bench.record import GpuUseModel
from bench.record.flags import gpu_flags


class Board:
    """A GPU that uses 100 J per second of a virtual clock."""

    def __init__(self, **values: Any) -> None:
        self.seconds = 0.0
        self.values = values
        self.reading_seconds: list[float] = []

    def __call__(self) -> float:
        return self.seconds

    def read(self, device: str) -> Reading:
        assert device == "cuda:0"
        self.reading_seconds.append(self.seconds)
        known = {"energy_joules": 100 * self.seconds, "clock_megahertz": 1980, "slowed_by": []}
        return Reading(**{**known, **self.values})

    def follow(self, *phases: str, seconds: float = 2.0) -> GpuUseModel:
        watch = GpuWatch("cuda:0", self.read, self)
        for phase in phases:
            watch.enter(phase)
            self.seconds += seconds
        return watch.use()


def test_the_energy_is_only_of_the_power_lane():
    use = Board().follow("load", "step", "parity", "power", "parity", "load")
    assert (use.energy_joules, use.energy_seconds) == (200.0, 2.0)


@pytest.mark.parametrize(
    "phases", [("load", "parity"), ("load", "power")], ids=["not planned", "died in it"]
)
def test_without_both_ends_of_a_power_lane_energy_is_unknown(phases):
    use = Board().follow(*phases)
    assert (use.energy_joules, use.energy_seconds) == (None, None)


def test_a_board_that_counts_no_energy_has_none():
    use = Board(energy_joules=None).follow("power", "parity")
    assert (use.energy_joules, use.energy_seconds) == (None, None)


def test_the_driver_is_not_read_while_a_lane_is_timed():
    board = Board()
    board.follow("load", *sorted(TIMED), "parity")
    assert board.reading_seconds == [0.0, 2.0 * (1 + len(TIMED))]


def test_the_largest_memory_counts_and_every_cause_of_slowness():
    readings = iter([(1, ["heat"]), (3, []), (2, ["its power limit", "heat"])])

    def read(device: str) -> Reading:
        used, slowed = next(readings)
        return Reading(used_bytes=used, slowed_by=slowed, power_limit_watts=700.0)

    watch = GpuWatch("cuda:0", read, lambda: 0.0)
    for phase in ("load", "parity", "load"):
        watch.enter(phase)
    use = watch.use()
    assert use.peak_used_bytes == 3
    assert use.slowed_by == ["heat", "its power limit"]
    assert use.power_limit_watts == 700.0
    assert use.clock_megahertz is None


def test_a_driver_that_reports_nothing_leaves_all_values_unknown():
    watch = GpuWatch("cuda:0", lambda device: Reading(), lambda: 0.0)
    watch.enter("load")
    assert set(watch.use().model_dump().values()) == {None}
    assert set(GpuWatch("cuda:0").use().model_dump().values()) == {None}


@pytest.mark.parametrize(
    ("slowed_by", "clocks", "usual", "expected"),
    [
        ([], [1980, 1980], 1980.0, []),
        (None, None, 1980.0, []),
        (["heat"], [1980], None, ["gpu_throttled"]),
        ([], [1980, 1860, 1870], 1980.0, ["gpu_slow_clock"]),
        ([], [1860, 1890, 1900], 1980.0, []),
        ([], [900], None, []),
        (["heat"], [900], 1980.0, ["gpu_throttled", "gpu_slow_clock"]),
    ],
)
def test_a_gpu_that_was_slowed_or_had_a_slow_clock_is_flagged(slowed_by, clocks, usual, expected):
    use = GpuUseModel(
        peak_used_bytes=None, clock_megahertz=clocks, slowed_by=slowed_by,
        power_limit_watts=None, energy_joules=None, energy_seconds=None,
    )  # fmt: skip
    assert gpu_flags(use, usual) == expected


def test_a_clock_is_usual_after_some_trials_of_its_own_device():
    clocks = UsualClocks()
    for turn in range(FEWEST_FOR_USUAL):
        assert clocks.usual("cuda:0") is None
        clocks.note("cuda:0", Board().follow("load"))
        clocks.note("cuda:1", Board(clock_megahertz=900 + turn).follow("load"))
        clocks.note("cuda:1", Board(clock_megahertz=None).follow("load"))
    assert clocks.usual("cuda:0") == 1980
    assert clocks.usual("cuda:1") == 902
    assert clocks.usual("cuda:2") is None
