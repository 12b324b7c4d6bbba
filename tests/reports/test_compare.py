"""Two runs against each other."""

import json

import numpy as np
import pytest

from bench.errors import UsageError
from reports import compare
from tests.records import build_record, build_run, plan, write_folder

TRIALS = plan(workloads=["mlp-512"], rounds=10, seeds=())


def run_in(folder, *, slower=1.0, seed=1, trials=TRIALS, **changes):
    """A run whose cells take `slower` times as long, with 1 % of noise."""
    draw = np.random.default_rng(seed)
    records = []
    for trial in trials:
        record = build_record(trial)
        scale = slower * draw.normal(1, 0.01)
        lanes = record.lanes.model_dump()
        for lane, field in (("step", "block_seconds"), ("native", "slice_seconds")):
            lanes[lane][field] = [seconds * scale for seconds in lanes[lane][field]]
        records.append(build_record(trial, lanes=lanes))
    return write_folder(folder, build_run(trials, **changes), records)


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    where = tmp_path_factory.mktemp("runs")
    return {
        "base": run_in(where / "base"),
        "again": run_in(where / "again", seed=2),
        "slower": run_in(where / "slower", seed=3, slower=1.1),
    }


def verdicts(runs):
    return {one.claim.verdict for one in compare.compare(runs)}


def test_the_same_machine_again_is_the_same(folders):
    assert verdicts(compare.read([folders["base"], folders["again"]])) <= {"SAME", "AMBIGUOUS"}


def test_ten_percent_more_time_is_slower(folders):
    assert verdicts(compare.read([folders["base"], folders["slower"]])) == {"SLOWER"}
    assert verdicts(compare.read([folders["slower"], folders["base"]])) == {"FASTER"}


def test_less_than_five_percent_is_no_difference_between_runs(folders, tmp_path):
    other = run_in(tmp_path / "other", seed=4, slower=1.04)
    assert verdicts(compare.read([folders["base"], other])) == {"AMBIGUOUS"}


def test_all_runs_are_judged_together_against_the_first(folders):
    found = compare.compare(compare.read(list(folders.values())))
    assert [(one.run, one.first.cell.backend, one.lane) for one in found[:4]] == [
        ("again", "keras-tensorflow", "native"), ("again", "keras-tensorflow", "step"),
        ("again", "pytorch", "native"), ("again", "pytorch", "step"),
    ]  # fmt: skip
    assert {one.run for one in found} == {"again", "slower"}


def test_what_is_not_the_same_of_the_runs_is_marked(folders, tmp_path):
    machine = {**json.loads((folders["base"] / "run.json").read_text())["environment"], "cpu": "A"}
    other = run_in(tmp_path / "other", environment=machine)
    text = compare.render(compare.read([folders["base"], other]))
    rows = {line.split("|")[1].strip(): line for line in text.splitlines() if line.startswith("|")}
    assert compare.DIFFERENT in rows["CPU"]
    assert compare.DIFFERENT not in rows["memory"]


def test_a_cell_that_one_of_them_lacks_is_named(folders, tmp_path):
    fewer = [trial for trial in TRIALS if trial.cell.backend == "pytorch"]
    other = run_in(tmp_path / "other", trials=fewer)
    text = compare.render(compare.read([folders["base"], other]))
    assert "Not timed in both, other: mlp-512_keras-tensorflow_cpu_default_float32_b128." in text


def test_settings_that_are_not_the_same_are_told(folders, tmp_path):
    records = []
    for trial in TRIALS:
        record = build_record(trial)
        settings = record.settings.model_dump()
        settings["effective"]["tf32"] = True
        records.append(build_record(trial, settings=settings))
    other = write_folder(tmp_path / "other", build_run(TRIALS), records)
    text = compare.render(compare.read([folders["base"], other]))
    assert "tf32: False, now True" in text


def test_a_comparison_needs_two_runs_that_rank(folders, tmp_path):
    with pytest.raises(UsageError, match="two runs or more"):
        compare.read([folders["base"]])
    smoke = run_in(tmp_path / "smoke", profile="smoke")
    with pytest.raises(UsageError, match="is a smoke run"):
        compare.read([folders["base"], smoke])


def test_two_folders_of_one_name_have_names_of_their_own(tmp_path):
    pair = [run_in(tmp_path / which / "run") for which in "ab"]
    assert [one.name for one in compare.read(pair)] == ["run (1)", "run (2)"]


def test_the_command_prints_markdown_or_json(folders, samestep):
    code, out, _ = samestep("compare", str(folders["base"]), str(folders["slower"]))
    assert code == 0
    assert out.startswith("# Comparison of 2 runs\n")
    code, out, _ = samestep("compare", str(folders["base"]), str(folders["slower"]), "--json")
    assert {one["verdict"] for one in json.loads(out)["claims"]} == {"SLOWER"}
