"""The section on the machine's limits and its figures, recomputed from records and calibration."""

from dataclasses import replace

import numpy as np
import pytest

from bench.record.calibration import CalibrationModel
from bench.spec.work import step_work
from bench.stats import Estimate
from bench.workloads import WORKLOADS
from reports.drawing.utilization import figures
from reports.results.names import framework
from reports.results.report import Report
from reports.results.utilization import limits, rate, roofs
from reports.sections.utilization import MEANING, section
from reports.text import NOTHING
from tests.records import build_records, build_run, failed_record, failed_rung, plan
from tests.reports.tables_of import numbers_in, table_with, tables_of

PNG = b"\x89PNG\r\n\x1a\n"
PEAK, BANDWIDTH = 2 * 2048**3 / 0.05, 3 * 2**26 / 0.01
HEADERS = ("network", "GFLOP/step", "% of roof")


def calibration(
    backend: str = "pytorch", device: str = "cpu", *, product=0.05, stream=0.01, launch=None
) -> CalibrationModel:
    """`product` and `stream` are the seconds of a call; each has a slower repeat before it."""
    large = {"rows": 2048, "inner": 2048, "columns": 2048}
    dense = {"rows": 128, "inner": 784, "columns": 512, "calls": [100], "seconds": [0.0625]}
    return CalibrationModel.model_validate({
        "backend": backend, "device": device, "precision": "float32", "missing": None,
        "attained": {
            "large": {**large, "calls": [1, 2], "seconds": [1.5 * product, 2 * product]},
            "accumulate": {
                "array_bytes": 2**26, "calls": [4, 8], "seconds": [5 * stream, 8 * stream]
            },
            "launch": launch and {"calls": [10_000], "seconds": [1e4 * launch]},
            "dense": [dense],
            "wall_seconds": 1.9,
        },
    })  # fmt: skip


def without(backend: str, reason: str) -> CalibrationModel:
    return CalibrationModel(
        backend=backend, device="cpu", precision="float32", attained=None, missing=reason
    )


def report_of(*, change=None, **options) -> Report:
    trials = plan(rounds=2, epochs=1, **options)
    return Report(build_run(trials), build_records(trials, change))


@pytest.fixture(scope="module")
def timed() -> Report:
    """Two workloads on two backends; two trials have no interval."""
    return report_of()


def calibrate(report: Report, *calibrated: CalibrationModel) -> Report:
    """Return the report of the same records after this calibration."""
    return replace(report, run=report.run.model_copy(update={"calibration": list(calibrated)}))


def text_of(report: Report, *calibrated: CalibrationModel) -> str:
    return "\n\n".join(section(calibrate(report, *calibrated))) + "\n"


def step_seconds(records, workload: str, backend: str) -> float:
    lanes = [
        record.lanes.step
        for record in records
        if record.trial.kind == "timing"
        and (record.trial.workload, record.trial.backend) == (workload, backend)
    ]
    return np.median([np.median(lane.block_seconds) / lane.steps_per_block for lane in lanes])


@pytest.mark.parametrize("backend", ["keras-tensorflow", "pytorch"])
@pytest.mark.parametrize("workload", ["mlp-512", "cnn"])
def test_a_row_is_counted_work_over_measured_time(timed, workload, backend):
    rows = table_with(text_of(timed, calibration()), *HEADERS)
    row = next(r for r in rows if (r["network"], r["framework"]) == (workload, framework(backend)))
    work = step_work(WORKLOADS[workload], WORKLOADS[workload].batch_size)
    attained = work.operations / step_seconds(timed.records, workload, backend)
    roof = min(PEAK, work.operations / work.moved_bytes * BANDWIDTH)
    expected = {
        "GFLOP/step": work.operations / 1e9,
        "MB/step": work.moved_bytes / 1e6,
        "FLOP/byte": work.operations / work.moved_bytes,
        "GFLOP/s": attained / 1e9,
        "% of product": 100 * attained / PEAK,
        "% of roof": 100 * attained / roof,
    }
    shown = {header: numbers_in(row[header])[0] for header in expected}
    assert shown == pytest.approx(expected, rel=6e-3)
    assert row["part of the roof"] == ("bandwidth" if workload == "cnn" else "product")


def test_with_enough_bandwidth_the_product_is_the_lower_bound(timed):
    rows = table_with(text_of(timed, calibration(stream=0.0001)), *HEADERS)
    assert {row["part of the roof"] for row in rows} == {"product"}
    assert all(row["% of product"] == row["% of roof"] for row in rows)


def test_the_roof_is_the_best_of_all_backends_and_repeats():
    slow = calibration("keras-tensorflow", product=0.08, stream=0.02)
    for order in ([slow, calibration()], [calibration(), slow]):
        (roof,) = roofs(order).values()
        assert (roof.operations_per_second, roof.bytes_per_second) == (PEAK, BANDWIDTH)
        assert roof.ridge == PEAK / BANDWIDTH


def test_the_best_product_and_bandwidth_may_be_of_two_backends():
    fast = calibration("keras-tensorflow", product=0.025, stream=0.02)
    (roof,) = roofs([fast, calibration()]).values()
    assert (roof.operations_per_second, roof.bytes_per_second) == (2 * PEAK, BANDWIDTH)


def test_the_slow_end_of_a_time_is_the_low_end_of_a_rate():
    seconds = Estimate(value=2.0, low=1.0, high=4.0, n=6)
    assert rate(100, seconds) == Estimate(value=50.0, low=25.0, high=100.0, n=6)
    single = replace(seconds, low=None, high=None)
    assert rate(100, single) == Estimate(value=50.0, low=None, high=None, n=6)


def test_a_run_without_calibration_has_no_section_and_no_figure(timed):
    assert list(section(timed)) == []
    assert list(figures(timed)) == []


def test_what_could_not_be_calibrated_says_why(timed):
    text = text_of(timed, without("pytorch", "no |product| here"))
    assert r"Not calibrated: PyTorch on cpu: no \|product\| here." in text
    assert tables_of(text) == []
    assert MEANING not in text
    assert list(figures(calibrate(timed, without("pytorch", "none")))) == []


def test_only_cells_of_a_calibrated_device_and_precision_have_a_row(timed):
    cells = timed.cells
    assert len(limits(cells, [calibration()])) == 4
    assert limits(cells, [calibration(device="cuda:0")]) == []
    exact = [
        replace(
            one, cell=replace(one.cell, execution=replace(one.cell.execution, precision="float64"))
        )
        for one in cells
    ]
    doubled = calibration().model_copy(update={"precision": "float64"})
    assert limits(cells, [doubled]) == limits(exact, [calibration()]) == []
    (single, *_), (double, *_) = limits(cells, [calibration()]), limits(exact, [doubled])
    assert double.work.moved_bytes == 2 * single.work.moved_bytes
    assert (single.roof.name, double.roof.name) == ("cpu", "cpu, float64")


def test_a_cell_that_failed_parity_has_no_row():
    def change(trial):
        if trial.cell.backend != "pytorch" or trial.round != 0:
            return None
        rungs = {"rungs": [failed_rung()], "certificate_sha256": "ce" * 32}
        return failed_record(trial, "parity_failed", "initial differs", parity=rungs)

    report = report_of(workloads=("mlp-512",), change=change)
    rows = table_with(text_of(report, calibration()), *HEADERS)
    assert [row["framework"] for row in rows] == ["Keras on TensorFlow"]


def test_the_table_of_what_was_calibrated(timed):
    gpu = calibration("keras-tensorflow", launch=6e-6)
    text = text_of(timed, gpu, calibration(product=0.04))
    product, stream, launch = table_with(text, "what", "unit")
    assert product["what"] == "large product, 2048 x 2048 x 2048"
    assert (product["Keras on TensorFlow"], product["PyTorch"]) == ("344", "429")
    assert stream["what"] == "`y += x`, two arrays of 64 MiB"
    assert stream["PyTorch"] == "20.1"
    assert (launch["unit"], launch["Keras on TensorFlow"], launch["PyTorch"]) == (
        "µs",
        "6.00",
        NOTHING,
    )
    (own,) = table_with(text, "batch x in x out")
    # 100 products of 2 x 128 x 784 x 512 operations in a sixteenth of a second
    assert own["batch x in x out"] == "128 x 784 x 512"
    assert numbers_in(own["PyTorch"])[0] == pytest.approx(164, rel=6e-3)


def test_on_a_cpu_there_is_no_row_of_launches(timed):
    assert len(table_with(text_of(timed, calibration()), "what", "unit")) == 2


def test_a_figure_a_device_under_the_name_that_the_report_links_to(timed):
    report = calibrate(timed, calibration(), calibration(device="cuda:0"))
    drawn = dict(figures(report))
    assert list(drawn) == ["roofline-cpu.png", "roofline-cpu.svg"]
    assert drawn["roofline-cpu.png"].startswith(PNG)
    assert "](figures/roofline-cpu.png)" in text_of(timed, calibration())
    assert drawn == dict(figures(report))
