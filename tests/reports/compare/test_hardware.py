"""Hardware against hardware: machines and devices may differ, everything else is matched."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest

from bench.errors import UsageError
from reports import compare
from reports.compare.figure import pages
from tests.records import build_record, environment, plan
from tests.reports.tables_of import numbers_in, table_with
from tests.reports.two_runs import (
    compared_run,
    longer,
    one_run,
    remade,
    run_in,
    timed_otherwise,
)

CPU = "Intel Xeon Processor, 2 cores"
TITLE = f"NVIDIA H200 against {CPU}"
TWO = ("mlp-512", "cnn")


def side(name, *, devices=("cpu",), workloads=TWO, rounds=7, faster=None, seed=1, noise=0.01):
    """A run in which each device is so many times as fast as the CPU."""
    trials = plan(workloads=workloads, devices=devices, rounds=rounds, seeds=())
    gpu = any(device != "cpu" for device in devices)
    draw = np.random.default_rng(seed)
    records = [
        longer(
            like_the_cpu(trial, gpu), draw.lognormal(0, noise) / (faster or {}).get(place(trial), 1)
        )
        for trial in trials
    ]
    run = compared_run(name, records=records, trials=trials, gpu=gpu)
    return compare.Side(runs=(run,))


def like_the_cpu(trial, gpu):
    """The record of a trial that takes as long as on the CPU."""
    twin = replace(trial, cell=trial.cell.but(device="cpu"))
    return remade(build_record(trial, gpu=gpu), lanes=build_record(twin).lanes.model_dump())


def place(trial):
    return trial.cell.workload, trial.cell.execution.device


def both(factor):
    return {("mlp-512", "cuda:0"): factor, ("cnn", "cuda:0"): factor}


def lines(*sides):
    return compare.render(sides).split("\n\n")[1].splitlines()


@pytest.fixture(scope="module")
def cpu():
    return side("epyc")


def test_a_gpu_is_compared_with_a_cpu(cpu):
    gpu = side("h200", devices=("cuda:0",), faster=both(2.5), seed=2)
    keras, torch = lines(cpu, gpu)
    where = "in the full training loop, geometric mean of 2 workloads"
    assert keras.startswith(f"- {TITLE}: Keras on TensorFlow 2.")
    assert torch.startswith(f"- {TITLE}: PyTorch 2.5")
    assert f"x as fast {where} (2." in torch
    back = lines(gpu, cpu)[1]
    assert re.match(rf"- {re.escape(CPU)} against NVIDIA H200: PyTorch 0\.(39|40)", back)


def test_the_table_has_both_speeds_the_mean_and_one_direction(cpu):
    gpu = side("h200", devices=("cuda:0",), faster=both(2.5), seed=2)
    rows = table_with(compare.render((cpu, gpu)), "speed-up")
    assert len(rows) == 2 * 2 * 3
    for row in rows:
        assert row["verdict"] == "FASTER"
        assert numbers_in(row["speed-up"])[0] == pytest.approx(2.5, rel=0.03)
        first, second = (
            float(row[name].split(" ")[0].replace(",", ""))
            for name in ("first images/s", "second images/s")
        )
        assert second / first == pytest.approx(2.5, rel=0.05)
    assert {row["workload"] for row in rows} == {*TWO, "**geometric mean of 2 workloads**"}


def test_the_figure_ends_with_the_means(cpu):
    gpu = side("h200", devices=("cuda:0",), faster=both(2.5), seed=2)
    (page,) = pages(compare.compare((cpu, gpu)))
    assert page.rows[-2:] == tuple(
        f"mean of 2 workloads: {name}" for name in ("Keras on TensorFlow", "PyTorch")
    )
    assert len(page.items) == 2 * len(page.rows) == 12


def test_a_workload_in_the_other_direction_is_named(cpu):
    mixed = {("mlp-512", "cuda:0"): 8.0, ("cnn", "cuda:0"): 0.5}
    for line in lines(cpu, side("h200", devices=("cuda:0",), faster=mixed, seed=2)):
        assert "2.0" in line
        assert line.endswith("; slower on cnn.")


def test_the_mean_is_over_the_workloads_of_both_sides(cpu):
    gpu = side("h200", devices=("cuda:0",), workloads=("mlp-512",), faster=both(3), seed=2)
    compared = compare.compare((cpu, gpu))
    assert {mean.workloads for mean in compared.means} == {("mlp-512",)}
    # the claim of a single workload is not judged twice
    assert all(mean.claim is mean.cells[0].claim for mean in compared.means)


def test_few_rounds_are_preliminary_with_the_medians(cpu):
    gpu = side("h200", devices=("cuda:0",), rounds=3, faster=both(2.5), seed=2)
    for line in lines(cpu, gpu):
        assert " images per second; preliminary, 3 rounds instead of the 6 of a verdict." in line
        assert "x as fast in the full training loop" in line


def test_the_devices_of_one_run_are_compared_round_by_round(tmp_path, samestep):
    both_devices = side("one", devices=("cpu", "cuda:0"), faster=both(1.08), noise=0.002)
    compared = compare.compare((both_devices,))
    assert compared.cells[0].matchup.same_run
    assert {cell.verdict for cell in compared.cells} == {"FASTER"}
    assert {cell.first.cell.execution.device for cell in compared.cells} == {"cpu"}
    run = both_devices.runs[0]
    records = [record for cell in run.cells for record in cell.records]
    folder = run_in(tmp_path / "one", records=records, trials=[r.trial.trial() for r in records])
    code, out, _ = samestep("compare", str(folder))
    assert (code, out.startswith("# Comparison of 1 run\n")) == (0, True)


def test_one_run_with_one_device_is_refused(tmp_path):
    with pytest.raises(UsageError, match=r"several devices\. Received: 1 with cpu"):
        compare.read([str(run_in(tmp_path / "one"))])


def devices(*sides):
    cells = compare.compare(sides).cells
    return {(c.first.cell.execution.device, c.other.cell.execution.device) for c in cells}


def test_a_device_meets_itself_or_the_first_device_of_the_first_run(cpu):
    two = side("two", devices=("cpu", "cuda:0"))
    assert devices(cpu, two) == {("cpu", "cpu"), ("cpu", "cuda:0")}
    assert devices(two, cpu) == {("cpu", "cpu")}
    assert devices(two, side("again", devices=("cpu", "cuda:0"))) == {
        ("cpu", "cpu"), ("cuda:0", "cuda:0"),
    }  # fmt: skip
    assert devices(side("gpu", devices=("cuda:0",)), cpu) == {("cuda:0", "cpu")}
    gpus = side("gpus", devices=("cuda:0", "cuda:1"))
    assert devices(gpus) == {("cuda:0", "cuda:1")}


def test_equal_hardware_has_names_that_differ():
    gpus = side("gpus", devices=("cuda:0", "cuda:1"))
    assert list(compare.compare((gpus,)).matchups) == [
        "NVIDIA H200 (cuda:1) against NVIDIA H200 (cuda:0)"
    ]
    sides = [side("a"), side("b"), *(side(name, devices=("cuda:0",)) for name in "cd")]
    assert list(compare.compare(sides).matchups) == [
        f"b against a ({CPU})",
        f"NVIDIA H200 (c) against {CPU}",
        f"NVIDIA H200 (d) against {CPU}",
    ]


@pytest.mark.parametrize(
    ("gpus", "name"), [([], "cuda:0"), (["A", "B"], "cuda:0"), (["A", "A"], "A")]
)
def test_a_gpu_of_unknown_name_keeps_its_number(gpus, name):
    found = [{"name": each, "memory_bytes": None, "driver": "1"} for each in gpus]
    gpu = side("gpu", devices=("cuda:0",)).runs[0]
    run = gpu.run.model_validate(
        {**gpu.run.model_dump(), "environment": {**environment(), "gpus": found}}
    )
    other = compare.Side(runs=(compare.ComparedRun(name="gpu", run=run, cells=gpu.cells),))
    assert compare.compare((side("cpu"), other)).cells[0].matchup.hardware == (name, CPU)


def test_slices_of_other_hardware_may_have_other_steps():
    first = one_run("first", records=[*map(build_record, timed_otherwise())])
    trials = timed_otherwise(native_steps=300)
    there = {**environment(), "host_sha256": "cd" * 32}
    records = [build_record(trial, environment=there) for trial in trials]
    cells = compare.compare((first, one_run("other", records=records, trials=trials))).cells
    assert {cell.refusal for cell in cells} == {None}
    assert {cell.notes for cell in cells if cell.lane == "native"} == {
        ("other machine", "native_steps: 100, 300")
    }


def test_json_names_hardware_means_and_sentences(cpu):
    gpu = side("h200", devices=("cuda:0",), faster=both(2.5), seed=2)
    document = json.loads(json.dumps(compare.as_json(compare.compare((cpu, gpu)))))
    assert document["sides"] == [["epyc"], ["h200"]]
    assert document["sentences"][0].startswith(f"{TITLE}: Keras on TensorFlow 2.")
    claim = document["claims"][0]
    assert claim["hardware"] == {"first": CPU, "second": "NVIDIA H200"}
    assert (claim["execution"]["device"], claim["second_device"]) == ("cpu", "cuda:0")
    assert [mean["workloads"] for mean in document["means"]] == [list(TWO)] * 4
