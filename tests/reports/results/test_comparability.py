"""Comparisons whose settings differ: refused where something else was computed, noted otherwise."""

import pytest

from reports.exports.summary_json import as_json
from reports.results import comparability
from reports.results.cells import group
from reports.results.report import Report
from reports.results.speed_verdicts import rank, refusals
from reports.sections import speed_verdicts
from tests.records import build_record, build_run, plan
from tests.reports.scenarios import troubled
from tests.reports.tables_of import compose
from tests.reports.two_runs import remade

SAME = {
    "precision": "float32",
    "dtype": "float32",
    "compiled": False,
    "threads_intra": 2,
    "optimizer_equations": "keras",
    "optimizer_epsilon": 1e-7,
}


def run_with(**planted: object):
    """Two backends whose settings are the same but for those planted in PyTorch."""
    trials = plan(workloads=("mlp-512",), rounds=6, seeds=())
    records = [
        build_record(
            trial,
            settings={
                "requested": {},
                "effective": {**SAME, **(planted if trial.cell.backend == "pytorch" else {})},
            },
        )
        for trial in trials
    ]
    return build_run(trials), records


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("precision", "tf32"),
        ("dtype", "float16"),
        ("optimizer_equations", "framework"),
        ("optimizer_epsilon", 1e-8),
    ],
)
def test_another_computation_is_not_compared_and_the_report_says_why(setting, value):
    run, records = run_with(**{setting: value})
    cells = group(run, records)
    assert rank(run, cells) == ()
    ((_, _, why),) = refusals(cells)
    assert why == f"{setting}: {value}, {SAME[setting]}"
    text = compose(Report(run, records))
    assert "Not compared:" in text
    assert f"{setting}: {value}" in text.replace("\\", "")


@pytest.mark.parametrize(("setting", "value"), [("compiled", "inductor"), ("threads_intra", 1)])
def test_another_way_to_compute_it_stands_beside_the_verdict(setting, value):
    run, records = run_with(**{setting: value})
    pairs = rank(run, group(run, records))
    assert len(pairs) == 2
    note = f"{setting}: {value}, {SAME[setting]}"
    assert {speed_verdicts.row(pair)[-1].replace("\\", "") for pair in pairs} == {note}
    assert as_json(Report(run, records))["claims"][0]["settings_that_differ"] == note


def test_equal_settings_leave_no_note():
    run, records = run_with()
    cells = group(run, records)
    assert {comparability.notes(pair.first, pair.second) for pair in rank(run, cells)} == {""}
    assert not list(refusals(cells))


def run_of_two_values(setting, keras, pytorch):
    """Each backend's trials have its two values in turn, from the first given on."""
    run, records = run_with()
    values = {"pytorch": pytorch, "keras-tensorflow": keras}
    return run, [
        remade(one, settings={"requested": {}, "effective": {**SAME, setting: value}})
        for one in records
        for value in [values[one.trial.backend][one.trial.round % 2]]
    ]


@pytest.mark.parametrize(
    ("setting", "values"),
    [("compiled", (False, "xla")), ("threads_intra", (2, 10)), ("precision", ("float32", "tf32"))],
)
def test_the_order_in_which_trials_have_two_values_is_no_difference(setting, values):
    run, records = run_of_two_values(setting, values, values[::-1])
    keras, pytorch = group(run, records)
    assert keras.settings[setting] == set(values)
    assert comparability.notes(keras, pytorch) == ""
    assert comparability.refusal(keras, pytorch) is None
    assert len(rank(run, (keras, pytorch))) == 2


def test_one_value_more_is_a_difference_printed_in_one_order():
    for values in ((False, "xla"), ("xla", False)):
        run, records = run_of_two_values("compiled", values, (False, False))
        assert comparability.notes(*group(run, records)) == "compiled: False, xla, False"
    for values in ((10, 2), (2, 10)):
        run, records = run_of_two_values("threads_intra", values, (2, 2))
        assert comparability.notes(*group(run, records)) == "threads_intra: 2, 10, 2"
    run, records = run_of_two_values("precision", ("tf32", "float32"), ("float32", "float32"))
    assert comparability.refusal(*group(run, records)) == "precision: float32, tf32, float32"


def test_threads_left_open_are_all_cores():
    run, records = run_with()
    (one, _) = group(run, records)
    cores = records[0].environment.cores_logical
    run, records = run_with(threads_intra="all cores")
    (_, other) = group(run, records)
    assert other.settings["threads_intra"] == {cores}
    assert one.cell.backend != other.cell.backend


def test_a_cell_whose_training_failed_is_not_compared():
    run, records = troubled()
    cells = {one.cell: one for one in group(run, records) if one.cell.workload == "mlp-512"}
    keras, pytorch = sorted(cells.values(), key=lambda one: one.cell.backend)
    assert comparability.refusal(keras, pytorch) == "a training of pytorch (cpu) failed"
    assert comparability.refusal(keras, keras) is None
