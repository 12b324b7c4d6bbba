"""The table of every mode against Keras on TensorFlow as it comes."""

from dataclasses import replace

import pytest

from bench.record.calibration import ProductModel
from reports.results.report import Report
from reports.results.utilization import own_products_seconds
from reports.sections.every_mode import section
from tests.records import build_record, build_run, plan
from tests.reports.sections.test_lanes import with_lanes
from tests.reports.sections.test_utilization import calibration
from tests.reports.tables_of import table_with

TRIALS = [trial for trial in plan(workloads=["mlp-512"], rounds=6, seeds=()) if trial.timing]
# milliseconds of the step and of the native lane
TIMES = {
    ("keras-tensorflow", "default"): (2.0, 4.0),
    ("keras-tensorflow", "epoch"): (1.0, 1.25),
    ("pytorch", "default"): (3.0, 3.2),
}


def report_of(*chosen, calibrated=()):
    records = []
    for trial in TRIALS:
        for backend, mode in chosen or TIMES:
            step, native = (1e-3 * (1 + 0.1 * trial.round) * ms for ms in TIMES[backend, mode])
            if trial.cell.backend == backend:
                execution = replace(trial.cell.execution, mode=mode)
                own = replace(trial, cell=replace(trial.cell, execution=execution))
                records.append(build_record(own, lanes=with_lanes(step, [step], native, 0.02)))
    run = build_run([record.trial.trial() for record in records])
    return Report(run.model_copy(update={"calibration": list(calibrated)}), records)


def test_the_fastest_stands_first_and_ratios_are_those_of_the_rounds():
    rows = table_with("\n\n".join(section(report_of())), "full loop, times as fast")
    assert [row["configuration"] for row in rows] == [
        "Keras on TensorFlow (cpu, epoch)", "Keras on TensorFlow (cpu)", "PyTorch (cpu)",
    ]  # fmt: skip
    ratios = [float(row["full loop, times as fast"].split(" ")[0]) for row in rows]
    assert ratios == pytest.approx([3.2, 1.0, 1.25])
    ratios = [float(row["step, times as fast"].split(" ")[0]) for row in rows]
    assert ratios == pytest.approx([4.0, 2.0, 1.33], abs=0.01)


def test_the_products_of_a_step_are_those_of_both_passes_at_their_own_rates():
    one = next(one for one in report_of().cells if one.cell.backend == "pytorch")
    slow, fast = calibration(), calibration("jax")
    shapes = {(128, 784, 512): 0.001, (128, 512, 10): 0.0001}
    for found, factor in ((slow, 2), (fast, 1)):
        found.attained.dense[:] = [
            ProductModel(rows=m, inner=k, columns=n, calls=[1], seconds=[factor * seconds])
            for (m, k, n), seconds in shapes.items()
        ]
    # the first layer's inputs have no gradient
    expected = 2 * 0.001 + 3 * 0.0001
    assert own_products_seconds(one, [slow, fast]) == pytest.approx(expected)
    text = "\n\n".join(section(report_of(calibrated=[slow, fast])))
    rows = table_with(text, "% of own products")
    # of 3.75 ms, the median round
    assert rows[-1]["% of own products"] == f"{100 * expected / 0.00375:.1f}"
    fast.attained.dense.pop()
    assert own_products_seconds(one, [fast]) is None


def test_without_the_reference_there_are_times_and_no_ratios():
    report = report_of(("keras-tensorflow", "epoch"), ("pytorch", "default"))
    rows = table_with("\n\n".join(section(report)), "full loop, times as fast")
    assert {row["full loop, times as fast"] for row in rows} == {"–"}  # noqa: RUF001 - no figure


def test_a_run_of_one_mode_has_no_such_table():
    chosen = [("keras-tensorflow", "default"), ("pytorch", "default")]
    assert not list(section(report_of(*chosen)))
