"""The framework tax, on records whose layers are known."""

from dataclasses import replace

import pytest

from bench.spec.work import step_work
from bench.workloads import WORKLOADS
from reports.drawing.framework_tax import figures
from reports.results.report import Report
from reports.sections.framework_tax import section
from tests.records import build_record, build_run, plan
from tests.reports.sections.test_lanes import with_lanes
from tests.reports.sections.test_utilization import PEAK, calibration
from tests.reports.tables_of import table_with

TRIALS = [trial for trial in plan(workloads=["mlp-512"], rounds=6, seeds=()) if trial.timing]
ROUNDS = range(6)


def in_mode(trial, mode):
    execution = replace(trial.cell.execution, mode=mode)
    return replace(trial, cell=replace(trial.cell, execution=execution))


def report_of(*, programs: bool = True, calibrated: bool = True) -> Report:
    """A step of 2 ms and a bit more in each round, a loop of 3, a look of half a one."""
    found = []
    for trial in TRIALS:
        base = 0.002 + 1e-4 * trial.round
        lanes = with_lanes(base, [base + 0.0005], base + 0.003, 0.02)
        found.append(build_record(trial, lanes=lanes))
        if programs:
            lanes = with_lanes(base - 0.0008, [base], base, 0.02)
            found.append(build_record(in_mode(trial, "epoch"), lanes=lanes))
    run = build_run([record.trial.trial() for record in found])
    calibrations = [calibration()] if calibrated else []
    return Report(run.model_copy(update={"calibration": calibrations}), found)


def test_each_layer_is_a_difference_within_rounds():
    for one in report_of().taxes:
        assert one.dispatch.value == pytest.approx(0.0008)
        assert one.loop.value == pytest.approx(0.003)
        assert one.looking.value == pytest.approx(0.0005)
        # the rounds differ by more than the layers do, and leave no trace
        assert one.loop.high - one.loop.low < 1e-9
        assert one.epoch.n == len(ROUNDS)


def test_the_arithmetic_is_the_counted_work_at_the_calibrated_rate():
    (floor,) = {one.floor for one in report_of().taxes}
    assert floor == pytest.approx(step_work(WORKLOADS["mlp-512"], 128).operations / PEAK)
    assert {one.floor for one in report_of(calibrated=False).taxes} == {None}


def test_the_table_is_in_microseconds():
    text = "\n\n".join(section(report_of()))
    rows = table_with(text, "dispatch")
    assert [row["framework"] for row in rows] == ["Keras on TensorFlow", "PyTorch"]
    assert {row["dispatch"].split(" ")[0] for row in rows} == {"800"}
    assert {row["loop"].split(" ")[0] for row in rows} == {"3,000"}


def test_without_programs_of_many_steps_there_is_no_section_and_no_figure():
    report = report_of(programs=False)
    assert not list(section(report))
    assert not list(figures(report))


def test_a_figure_a_device():
    drawn = dict(figures(report_of()))
    assert list(drawn) == ["tax-cpu.png", "tax-cpu.svg"]
    assert drawn["tax-cpu.png"].startswith(b"\x89PNG")
