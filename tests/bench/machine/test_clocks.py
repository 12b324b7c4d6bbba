"""Clocks that move apart reveal a machine that slept or a clock that was set."""

import pytest

from bench.machine import clocks
from bench.machine.clocks import ClockWatch
from bench.record import ContentionModel, flags
from bench.record.flags import clock_flags


@pytest.mark.parametrize(
    ("passed", "jump"),
    [
        ((10.0, 10.0, 10.0), 0.0),
        # suspended for an hour
        ((10.0, 3_610.0, 3_610.0), 3_600.0),
        # set forward, and back
        ((10.0, 15.0, 10.0), 5.0),
        ((10.0, -5.0, 10.0), 15.0),
        # a system without a clock that never stops
        ((10.0, 12.0), 2.0),
    ],
)
def test_a_jump_is_the_difference_between_clocks(passed, jump):
    start = (100.0, 1e9, 500.0)[: len(passed)]
    end = tuple(before + seconds for before, seconds in zip(start, passed, strict=True))
    readings = iter([start, end])
    assert ClockWatch(lambda: next(readings)).jump_seconds() == pytest.approx(jump)


def test_the_machines_own_clocks_agree():
    assert ClockWatch().jump_seconds() < flags.MOST_JUMP_SECONDS
    assert len(clocks.seconds()) in (2, 3)


@pytest.mark.parametrize(("jump", "flags"), [(None, []), (0.9, []), (1.1, ["clock_jump"])])
def test_more_than_a_second_flags_the_trial(jump, flags):
    assert clock_flags(ContentionModel(wall_seconds=1.0, clock_jump_seconds=jump)) == flags
