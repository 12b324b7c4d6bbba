"""The numbers of a report, recomputed from the records by plain NumPy."""

import numpy as np
import pytest

from reports.exports.summary_json import as_json
from reports.results.names import framework
from reports.results.report import Report
from tests.records import BACKENDS, SMALL
from tests.reports.scenarios import complete, gpu
from tests.reports.tables_of import compose, numbers_in, section_of, table_with


@pytest.fixture(scope="module")
def done():
    run, records = complete()
    report = Report(run, records)
    return records, compose(report), as_json(report)


def of(records, kind, workload, backend, device="cpu"):
    return [
        r
        for r in records
        if (r.trial.kind, r.trial.workload, r.trial.backend, r.trial.execution.device)
        == (kind, workload, backend, device)
    ]


def native(records):
    lanes = [r.lanes.native for r in records]
    return np.array([np.median(one.slice_seconds) / one.steps_per_slice for one in lanes])


def step(records):
    lanes = [r.lanes.step for r in records]
    return np.array([np.median(one.block_seconds) / one.steps_per_block for one in lanes])


def close(cell, expected):
    """Whether the first number of a cell is `expected` to the three figures that are shown."""
    return numbers_in(cell)[0] == pytest.approx(expected, rel=6e-3)


CELLS = [(workload, backend) for workload in SMALL for backend in BACKENDS]


@pytest.mark.parametrize(("workload", "backend"), CELLS)
def test_the_speed_table(done, workload, backend):
    records, text, _ = done
    timed = of(records, "timing", workload, backend)
    rows = table_with(text, "full loop ms/step")
    row = next(r for r in rows if (r["network"], r["framework"]) == (workload, framework(backend)))
    lanes = [r.lanes.native for r in timed]
    samples = sum(len(n.slice_seconds) * n.steps_per_slice * n.batch_size for n in lanes)
    seconds = sum(sum(n.slice_seconds) for n in lanes)
    assert close(row["full loop ms/step"], 1e3 * np.median(native(timed)))
    assert close(row["step alone ms/step"], 1e3 * np.median(step(timed)))
    assert close(row["images/s"], samples / seconds)
    assert close(row["first step s"], np.median([r.timings.first_step_seconds for r in timed]))
    assert close(row["memory MiB"], np.median([r.memory.peak_rss_bytes for r in timed]) / 2**20)
    assert row["n"] == "10"


@pytest.mark.parametrize(("workload", "backend"), CELLS)
def test_the_json_is_unrounded(done, workload, backend):
    records, _, document = done
    cell = next(
        c for c in document["cells"] if (c["workload"], c["backend"]) == (workload, backend)
    )
    timed = of(records, "timing", workload, backend)
    trained = of(records, "accuracy", workload, backend)
    finals = [r.accuracy.final_test_accuracy for r in trained]
    assert cell["speed"]["native_seconds"]["value"] == np.median(native(timed))
    assert cell["speed"]["step_seconds"]["value"] == np.median(step(timed))
    assert cell["accuracy"]["test_accuracy"] == pytest.approx(np.mean(finals), abs=1e-15)
    assert cell["accuracy"]["seeds"] == [1, 2, 3]


def test_the_interval_is_that_of_interpolated_order_statistics(done):
    records, _, document = done
    values = np.sort(native(of(records, "timing", "cnn", "pytorch")))
    # of 10 trials: between the second and the third from either end, see tests/stats
    share = 0.6577
    ends = [
        values[1] + share * (values[2] - values[1]),
        values[-2] + share * (values[-3] - values[-2]),
    ]
    cell = next(c for c in document["cells"] if (c["workload"], c["backend"]) == ("cnn", "pytorch"))
    found = [cell["speed"]["native_seconds"][end] for end in ("low", "high")]
    assert found == pytest.approx(ends, rel=1e-5)


def test_start_up_is_the_intercept_of_two_slice_lengths(done):
    records, text, document = done
    cell = next(
        c for c in document["cells"] if (c["workload"], c["backend"]) == ("mlp-512", "pytorch")
    )
    lanes = [r.lanes.native for r in of(records, "timing", "mlp-512", "pytorch")]
    long = np.array([np.median(one.slice_seconds) for one in lanes])
    short = np.array([np.median(one.short_slice_seconds) for one in lanes])
    steady = (long - short) / (100 - 25)
    speed = cell["speed"]
    assert speed["steady_seconds"]["value"] == pytest.approx(np.median(steady), rel=1e-9)
    start_up = np.median(long - 100 * steady)
    assert speed["startup_seconds"]["value"] == pytest.approx(start_up, rel=1e-9)
    # the estimate is biased: no page shows it
    assert "start-up per call" not in text


def test_accuracy_beside_the_published_one(done):
    records, text, _ = done
    row = next(r for r in table_with(text, "test accuracy", "trained") if r["network"] == "cnn")
    trained = of(records, "accuracy", "cnn", "keras-tensorflow")
    mean = np.mean([r.accuracy.final_test_accuracy for r in trained])
    assert row["test accuracy"] == f"{100 * mean:.2f} %"
    assert row["published"] == "99.04 %"
    assert numbers_in(row["difference (points)"])[0] == pytest.approx(100 * mean - 99.04, abs=0.006)
    assert row["parameters"] == "3,156,098\u00a0✓"
    assert row["trained"] == "5 epochs"


def test_final_figures_count_the_test_images(done):
    records, text, _ = done
    row = table_with(section_of(text, "cnn"), "right")[0]
    trained = of(records, "accuracy", "cnn", "keras-tensorflow")[0].accuracy
    right = round(1e4 * trained.final_test_accuracy)
    assert row["right"] == f"{right:,} of 10,000"
    assert row["wrong"] == str(10_000 - right)
    gap = 100 * (trained.final_train_accuracy - trained.final_test_accuracy)
    assert numbers_in(row["gap (points)"])[0] == pytest.approx(gap, abs=0.006)


def test_the_ratio_of_gpu_and_cpu_is_paired_by_round():
    run, records = gpu()
    ratios = native(of(records, "timing", "cnn", "pytorch")) / native(
        of(records, "timing", "cnn", "pytorch", "cuda:0")
    )
    rows = {row.results.name: row.gpu_speed_over_cpu for row in Report(run, records).rows}
    assert rows["pytorch (cuda:0)"].value == pytest.approx(np.median(ratios), rel=1e-12)
    assert rows["pytorch (cuda:0)"].n == 6
    assert rows["pytorch (cpu)"] is None


def test_the_range_of_other_processes(done):
    records, text, _ = done
    row = next(r for r in table_with(text, "stolen, % of all cores") if r["network"] == "cnn")
    shares = [
        100 * r.contention.other_cpu_seconds / (r.contention.wall_seconds * 2)
        for r in records
        if r.trial.kind == "timing" and r.trial.workload == "cnn"
    ]
    expected = f"{min(shares):.1f} to {max(shares):.1f}"
    assert row["other processes, % of all cores"] == expected
