"""The batch sweep: what is in it, its figures, and where a GPU overtakes."""

from dataclasses import replace

import pytest

from reports.drawing.batch_sweep import figures
from reports.results.report import Report
from reports.sections.batch_sweep import section
from tests.records import build_record, build_run, plan
from tests.reports.sections.test_lanes import with_lanes
from tests.reports.tables_of import table_with

TRIALS = [trial for trial in plan(workloads=["mlp-512"], rounds=1, seeds=()) if trial.timing]
# milliseconds of a step by device and batch size
CPU = {32: 1.0, 128: 2.0, 512: 6.0}
GPU = {32: 1.5, 128: 1.5, 512: 1.6}


def records_of(sizes=CPU, device="cpu"):
    return [
        build_record(
            replace(
                trial,
                cell=replace(
                    trial.cell,
                    execution=replace(trial.cell.execution, device=device, batch_size=size),
                ),
            ),
            lanes=with_lanes(1e-3 * ms, [1e-3 * ms], 1e-3 * ms, 0.02),
            gpu=None,
        )
        for trial in TRIALS
        for size, ms in sizes.items()
    ]


def report_of(*groups):
    records = [record for one in groups for record in one]
    return Report(build_run([record.trial.trial() for record in records]), records)


def test_throughput_is_the_batch_over_the_step():
    rows = table_with("\n\n".join(section(report_of(records_of()))), "µs per image")
    assert [(row["framework"], row["batch"]) for row in rows] == [
        (framework, size)
        for framework in ("Keras on TensorFlow", "PyTorch")
        for size in ("32", "128", "512")
    ]
    assert [row["images/s"] for row in rows[:3]] == ["32,000", "64,000", "85,300"]
    assert rows[2]["µs per image"] == "11.7"
    assert {row["device"] for row in rows} == {"cpu"}


def test_one_batch_size_is_no_sweep():
    report = report_of(records_of({128: 2.0}))
    assert report.sweep == []
    assert not list(section(report))
    assert not list(figures(report))


@pytest.mark.parametrize(
    ("gpu", "told"),
    [
        (GPU, "the GPU is ahead from a batch size of 128 on"),
        ({32: 0.5, 128: 0.5, 512: 0.5}, "the GPU is ahead from a batch size of 32 on"),
        # ahead at one size, behind at the largest
        ({32: 1.5, 128: 1.5, 512: 7.0}, "the CPU is ahead at the largest batch size"),
    ],
)
def test_where_the_gpu_overtakes_the_cpu(gpu, told):
    text = "\n\n".join(section(report_of(records_of(), records_of(gpu, "cuda:0"))))
    assert text.count(told) == 2


def test_without_a_common_batch_size_nothing_is_said_of_who_is_ahead():
    text = "\n\n".join(section(report_of(records_of({32: 1.0}), records_of({128: 1.5}, "cuda:0"))))
    assert "## Over the batch size" in text
    assert "ahead" not in text


def test_a_figure_a_workload():
    drawn = dict(figures(report_of(records_of())))
    assert list(drawn) == ["batch-mlp-512.png", "batch-mlp-512.svg"]
    assert drawn["batch-mlp-512.png"].startswith(b"\x89PNG")
