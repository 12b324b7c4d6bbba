"""Flags name causes: what the machine did during a trial, never how long the trial took."""

import pytest

from bench.record import WindowsModel
from bench.record.flags import flags


def windows(**columns: list[float] | None) -> WindowsModel:
    quiet = {
        "wall_seconds": [0.1] * 10,
        "own_cpu_seconds": [0.2] * 10,
        "other_cpu_seconds": [0.0] * 10,
        "steal_seconds": [0.0] * 10,
        "throttled_seconds": [0.0] * 10,
        "pressure_seconds": [0.0] * 10,
    }
    return WindowsModel.model_validate({**quiet, **columns})


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({}, []),
        ({"other_cpu_seconds": [0.1] * 10}, ["contended"]),
        # another process has all of one window in ten
        ({"other_cpu_seconds": [0.2] + [0.0] * 9}, ["contended"]),
        ({"other_cpu_seconds": [0.009] * 10}, []),
        ({"steal_seconds": [0.02] * 10}, ["stolen"]),
        ({"throttled_seconds": [0.02] + [0.0] * 9}, ["throttled"]),
        ({"throttled_seconds": [0.005] + [0.0] * 9}, []),
        # the trial's own threads wait for each other, which is no disturbance
        ({"pressure_seconds": [0.1] * 10}, []),
        ({"other_cpu_seconds": [0.1] * 10, "steal_seconds": [0.1] * 10}, ["contended", "stolen"]),
        ({"other_cpu_seconds": None, "steal_seconds": None, "throttled_seconds": None}, []),
    ],
)
def test_each_cause_has_its_flag(columns, expected):
    assert flags({"step": windows(**columns)}, cores=2) == expected


def test_shares_are_of_all_cores():
    busy = {"step": windows(other_cpu_seconds=[0.1] * 10)}
    assert flags(busy, cores=2) == ["contended"]
    assert flags(busy, cores=64) == []


def test_the_windows_of_all_lanes_are_added():
    disturbed = windows(other_cpu_seconds=[0.015] * 10)
    assert flags({"step": disturbed}, cores=2) == ["contended"]
    assert flags({"step": disturbed, "native": windows()}, cores=2) == []


def test_a_trial_without_windows_has_no_flag():
    assert flags({}, cores=2) == []


def test_a_trial_that_was_watched_only_briefly_has_no_flag():
    brief = windows(wall_seconds=[0.04] * 10, other_cpu_seconds=[0.01] * 10)
    assert flags({"step": brief}, cores=2) == []
