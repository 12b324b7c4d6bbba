"""The gaps between lanes and the phases, against figures made by hand."""

from dataclasses import replace

import pytest

from reports.results.cells import group
from reports.results.speed import speed
from reports.sections import lanes
from tests.records import build_record, build_run, plan

TRIALS = [trial for trial in plan(workloads=["mlp-512"], rounds=2, seeds=()) if trial.timing]


def with_lanes(step: float, latency: list[float], native: float, tutorial: float) -> dict:
    return {
        "step": {"block_seconds": [32 * step], "steps_per_block": 32, "batch_size": 128},
        "latency": {"step_seconds": latency, "batch_size": 128},
        "native": {
            "slice_seconds": [100 * native], "steps_per_slice": 100, "batch_size": 128,
            "short_slice_seconds": [25 * native], "steps_per_short_slice": 25,
        },
        "tutorial": {"slice_seconds": [50 * tutorial], "steps_per_slice": 50, "batch_size": 128},
    }  # fmt: skip


def test_the_gaps_are_ratios_within_a_trial():
    trial = TRIALS[0]
    record = build_record(trial, lanes=with_lanes(0.002, [0.003] * 97 + [0.004] * 3, 0.005, 0.02))
    found = speed([record])
    # of means: three of a hundred steps took longer
    assert found.observer_effect.value == pytest.approx(1.515)
    assert found.loop_overhead.value == pytest.approx(2.5)
    assert found.pipeline_cost.value == pytest.approx(4.0)
    assert found.latency_seconds.value == found.latency_p95_seconds == 0.003
    assert found.latency_p99_seconds == pytest.approx(0.004)


def test_without_a_lane_there_is_no_gap():
    bare = with_lanes(0.002, [0.003], 0.005, 0.02) | {"latency": None, "tutorial": None}
    reasons = {"lanes.latency": "left out", "lanes.tutorial": "left out"}
    record = build_record(TRIALS[0], lanes=bare)
    record = build_record(TRIALS[0], lanes=bare, null_reasons={**record.null_reasons, **reasons})
    found = speed([record])
    assert (found.observer_effect, found.pipeline_cost) == (None, None)
    assert found.latency_p99_seconds is None
    assert found.loop_overhead.value == pytest.approx(2.5)


def test_repeated_trials_are_shown_with_and_without():
    disturbed, *others = [trial for trial in TRIALS if trial.cell == TRIALS[0].cell]
    again = replace(disturbed, attempt=1)
    trials = [disturbed, again, *others]
    records = [
        build_record(
            disturbed, flags=["contended"], lanes=with_lanes(0.009, [0.009], 0.009, 0.009)
        ),
        *(
            build_record(trial, lanes=with_lanes(0.002, [0.002], 0.002, 0.002))
            for trial in trials[1:]
        ),
    ]
    (cell,) = group(build_run(trials), records)
    assert cell.speed.step_seconds.value == pytest.approx(0.002)
    assert (cell.speed.trials, cell.speed_of_all.trials) == (2, 3)
    rows = {row[1]: row for row in lanes.lane_rows(cell)}
    assert rows["training step"][3] == "2"
    assert rows["training step, repeated trials too"][3] == "3"
