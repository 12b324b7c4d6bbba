"""The export against pytest-benchmark itself."""

import json
import subprocess
import sys
from dataclasses import asdict

import pytest

from bench.record.quantities import step_seconds
from reports.exports.pytest_benchmark import as_pytest_benchmark
from reports.results.report import Report
from tests.records import build_records, build_run, plan, write_folder


@pytest.fixture(scope="module")
def run_and_records():
    trials = plan(workloads=["mlp-512"], rounds=7)
    return build_run(trials), build_records(trials)


def test_a_trial_is_a_round(run_and_records):
    run, records = run_and_records
    document = as_pytest_benchmark(Report(run, records))
    names = [one["name"] for one in document["benchmarks"]]
    assert names == [
        f"{lane}[mlp-512_{backend}_cpu_default_float32_b128]"
        for backend in ("keras-tensorflow", "pytorch")
        for lane in ("native", "step")
    ]
    stats = document["benchmarks"][1]["stats"]
    expected = [step_seconds(one) for one in records
                if one.trial.backend == "keras-tensorflow" and one.lanes]  # fmt: skip
    assert stats["data"] == expected
    assert (stats["rounds"], stats["min"], stats["max"]) == (7, min(expected), max(expected))


def test_the_full_loop_has_its_speedup_against_the_baseline(run_and_records):
    report = Report(*run_and_records)
    extra = {
        one["name"].partition("_cpu")[0]: one["extra_info"]
        for one in as_pytest_benchmark(report)["benchmarks"]
    }
    (pytorch,) = (one for one in report.standings[0].cells if one.speedup is not None)
    assert extra["native[mlp-512_pytorch"] == {
        "flags": [[]] * 7,
        "baseline": "keras-tensorflow",
        "speedup": asdict(pytorch.speedup),
        "verdict": pytorch.verdict,
    }
    assert "baseline" not in extra["step[mlp-512_pytorch"]
    assert "baseline" not in extra["native[mlp-512_keras-tensorflow"]


def test_two_runs_are_compared_by_its_own_command(run_and_records, tmp_path):
    run, records = run_and_records
    for name in ("before.json", "after.json"):
        text = json.dumps(as_pytest_benchmark(Report(run, records)))
        (tmp_path / name).write_text(text, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", "from pytest_benchmark.cli import main; main()", "compare",
         "before.json", "after.json"],
        cwd=tmp_path, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "step[mlp-512_pytorch_cpu_default_float32_b128] (before" in done.stdout
    assert "step[mlp-512_pytorch_cpu_default_float32_b128] (after" in done.stdout


def test_the_command_prints_it(samestep, run_and_records, tmp_path):
    write_folder(tmp_path, *run_and_records)
    code, out, _ = samestep("report", str(tmp_path), "--format", "pytest-benchmark")
    assert code == 0
    assert json.loads(out) == as_pytest_benchmark(Report(*run_and_records))
    assert not (tmp_path / "report.md").exists()
