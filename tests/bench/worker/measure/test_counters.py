"""The kernel's counters are read from files of the tests and from this system's files."""

import time

import pytest

from bench.worker.measure import Counters, Sensors
from bench.worker.measure import counters as module


def counters(wall: float, **changes: float | None) -> Counters:
    zero = {"own_cpu": 0.0, "other_cpu": 0.0, "steal": 0.0, "throttled": 0.0, "pressure": 0.0}
    return Counters(wall=wall, **{**zero, **changes})


def test_a_window_has_the_increases_of_the_counters():
    readings = iter([counters(1.0, own_cpu=2.0, steal=0.5), counters(4.0, own_cpu=7.0, steal=0.75)])
    watch = Sensors(lambda: next(readings))
    with watch.window("step"):
        pass
    columns = watch.columns()["step"]
    assert (columns["wall_seconds"], columns["own_cpu_seconds"]) == ([3.0], [5.0])
    assert columns["steal_seconds"] == [0.25]


def test_windows_are_separate_per_lane_and_in_order():
    readings = iter([counters(float(second * second)) for second in range(6)])
    watch = Sensors(lambda: next(readings))
    for lane in ("step", "native", "step"):
        with watch.window(lane):
            pass
    assert watch.columns()["step"]["wall_seconds"] == [1.0, 9.0]
    assert watch.columns()["native"]["wall_seconds"] == [5.0]


def test_a_window_begins_after_the_turn():
    calls = []

    def read() -> Counters:
        calls.append("read")
        return counters(0.0)

    with Sensors(read, turn=lambda: calls.append("turn")).window("step"):
        calls.append("inside")
    assert calls == ["turn", "read", "inside", "read"]


def test_a_missing_counter_is_null_and_not_zero():
    watch = Sensors(lambda: counters(time.monotonic(), steal=None))
    with watch.window("step"):
        pass
    assert watch.columns()["step"]["steal_seconds"] is None
    assert watch.columns()["step"]["throttled_seconds"] == [0.0]


def test_a_window_that_fails_is_kept():
    watch = Sensors(lambda: counters(time.monotonic()))
    with pytest.raises(ZeroDivisionError), watch.window("step"):
        raise ZeroDivisionError
    assert len(watch.columns()["step"]["wall_seconds"]) == 1


STAT = "cpu  100 20 30 4000 500 6 7 80 90 10\ncpu0 1 1 1 1 1 1 1 1 1 1\n"


def test_busy_time_is_all_except_idle_waiting_and_stolen_time(tmp_path, monkeypatch):
    path = tmp_path / "stat"
    path.write_text(STAT)
    monkeypatch.setattr(module, "PROC_STAT", path)
    monkeypatch.setattr(module.os, "sysconf", {"SC_CLK_TCK": 100}.__getitem__)
    assert module.cpu_seconds() == pytest.approx((1.63, 0.80))


@pytest.mark.parametrize("text", ["", "cpu  1 2 3\n", "cpu a b c d e f g h\n"])
def test_a_stat_that_cannot_be_read_is_unknown(tmp_path, monkeypatch, text):
    path = tmp_path / "stat"
    path.write_text(text)
    monkeypatch.setattr(module, "PROC_STAT", path)
    assert module.cpu_seconds() == (None, None)
    assert module.read_counters().other_cpu is None


def test_throttling_is_of_the_own_control_group(tmp_path, monkeypatch):
    group = tmp_path / "fs" / "user" / "run"
    group.mkdir(parents=True)
    (group / "cpu.stat").write_text("usage_usec 9\nnr_throttled 3\nthrottled_usec 2500000\n")
    own = tmp_path / "cgroup"
    own.write_text("1:name=systemd:/x\n0::/user/run\n")
    monkeypatch.setattr(module, "CGROUPS", own)
    monkeypatch.setattr(module, "CGROUP_ROOT", tmp_path / "fs")
    assert module.throttled_seconds() == 2.5


def test_counters_are_null_without_control_groups_and_pressure(tmp_path, monkeypatch):
    for name in ("CGROUPS", "PRESSURE", "PROC_STAT"):
        monkeypatch.setattr(module, name, tmp_path / "nowhere")
    values = module.read_counters()
    assert (values.throttled, values.pressure, values.steal) == (None, None, None)


def test_pressure_is_the_total_of_the_line_some(tmp_path, monkeypatch):
    path = tmp_path / "cpu"
    path.write_text("some avg10=0.00 avg60=1.00 avg300=0.00 total=1500000\nfull total=9\n")
    monkeypatch.setattr(module, "PRESSURE", path)
    assert module.pressure_seconds() == 1.5


@pytest.mark.skipif(not module.PROC_STAT.exists(), reason="a system without /proc")
def test_the_work_of_this_process_does_not_count_as_others():
    watch = Sensors()
    with watch.window("step"):
        end = time.process_time() + 0.1
        while time.process_time() < end:
            pass
    window = watch.columns()["step"]
    assert window["own_cpu_seconds"][0] > 0.08
    assert window["wall_seconds"][0] >= 0.1
    # a tick of 10 ms may fall on either side of the window
    assert window["other_cpu_seconds"][0] > -0.05
