"""What compiling costs and when it is repaid, on records whose answers are known."""

from dataclasses import replace

import pytest

from bench.record.quantities import compile_seconds
from reports.results.cells import group
from reports.results.speed import speed
from reports.sections import compiling
from reports.text import NOTHING
from tests.records import build_record, build_run, plan
from tests.reports.sections.test_lanes import with_lanes

TRIALS = [trial for trial in plan(workloads=["mlp-512"], rounds=1, seeds=()) if trial.timing]


def record_of(trial, first: float, step: float, again: float | None = None, cache: str = "none"):
    timings = {"first_step_seconds": first, "recompile_seconds": again, "total_seconds": 10.0}
    settings = {"requested": {}, "effective": {"compile_cache": cache}}
    lanes = with_lanes(step, [step], step, step)
    return build_record(trial, lanes=lanes, timings=timings, settings=settings)


def timed(first: float, step: float, **more):
    return speed([record_of(TRIALS[0], first, step, **more)])


@pytest.mark.parametrize(
    ("first", "step", "steps"),
    [
        # 8 seconds more of compiling, repaid by half a second a step
        (8.5, 0.5, "16.0"),
        (9.0, 1.0, "never"),
        (9.0, 1.5, "never"),
        (0.5, 0.5, "at once"),
    ],
)
def test_a_mode_that_compiles_breaks_even_when_its_steps_have_repaid_it(first, step, steps):
    other = timed(first, step)
    assert compiling.break_even(timed(1.0, 1.0), other, other.cold_compile_seconds) == steps


def test_what_compiling_takes_is_the_first_step_less_a_steady_one():
    assert timed(1.25, 0.25).cold_compile_seconds.value == 1.0


def test_a_second_step_that_compiles_counts_too():
    assert timed(1.25, 0.25, again=0.75).cold_compile_seconds.value == 1.5


def test_a_call_of_many_steps_is_no_compiling():
    timing = replace(TRIALS[0].timing, steps_per_call=4)
    found = record_of(replace(TRIALS[0], timing=timing), 2.0, 0.25)
    assert compile_seconds(found) == pytest.approx(1.0)


def test_what_was_found_in_a_cache_is_apart():
    cold, primed = timed(1.25, 0.25, cache="cold"), timed(1.25, 0.25, cache="primed")
    assert (cold.cold_compile_seconds.value, cold.primed_compile_seconds) == (1.0, None)
    assert (primed.cold_compile_seconds, primed.primed_compile_seconds.value) == (None, 1.0)
    assert (cold.first_step_seconds.value, primed.first_step_seconds) == (1.25, None)


def test_modes_are_compared_with_the_default_of_the_same_cell():
    compiled = [
        replace(
            trial,
            cell=replace(trial.cell, execution=replace(trial.cell.execution, mode="compiled")),
        )
        for trial in TRIALS
    ]
    records = [record_of(trial, 1.0, 1.0) for trial in TRIALS]
    records += [record_of(trial, 8.5, 0.5) for trial in compiled]
    cells = group(build_run([*TRIALS, *compiled]), records)
    repaid = {(row[0].count("compiled"), *row[3:]) for row in compiling.rows_of(cells)}
    assert repaid == {(0, NOTHING, NOTHING), (1, "16.0", NOTHING)}
