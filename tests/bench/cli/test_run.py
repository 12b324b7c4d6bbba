"""`samestep run` ends with its answer; the backends are scripts that answer at once."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from bench import mnist
from bench.machine import look
from bench.record.run import read_run
from bench.run import process
from reports import report
from tests.bench.machine.test_doctor import look_result
from tests.faults.stand_in import stand_in, write_orders
from tests.records import BACKENDS, build_run, plan, write_folder

Answer = tuple[int, str, str]


@pytest.fixture
def run(
    samestep: Callable[..., Answer],
    monkeypatch: pytest.MonkeyPatch,
    data: mnist.Mnist,
    tmp_path: Path,
) -> Callable[..., Answer]:
    """Return a function that runs the command on one cell per backend, into `tmp_path / "run"`."""
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setattr(mnist, "load", lambda: data)
    monkeypatch.setattr(process, "LEAVE_SECONDS", 0.05)
    # tests/reports tests the figures; here they would only take time
    monkeypatch.setattr(report, "FIGURES", ())
    quiet_machine = look_result(gpus=[], lock_holders=None)
    monkeypatch.setattr(look, "look", lambda *arguments: quiet_machine)
    script = stand_in(tmp_path)
    pythons = [f"--python={name}={script}" for name in BACKENDS]
    where = ("--workload=mlp-512", "--device=cpu", f"--out={tmp_path / 'run'}")

    def start(*arguments: str) -> Answer:
        plan = () if "--resume" in arguments else where
        return samestep("run", *plan, *pythons, *arguments)

    return start


def test_a_run_ends_with_table_headline_report_and_next_command(run, tmp_path):
    folder = tmp_path / "run"
    code, out, err = run("--profile=smoke", "--seeds=none")
    assert code == 0
    counts, _, machine, _, title, *table, _, headline, _, written, following = out.splitlines()
    assert counts == "4 of 4 trials: 4 ok"
    assert " logical core" in machine
    assert title == "cpu, full training loop, medians of 1 round, speed-up against keras-tensorflow"
    assert {line.split()[0] for line in table[3:]} == set(BACKENDS)
    assert headline == "A smoke run ranks nothing: it shows only that everything runs."
    assert written == str(folder / "report.md")
    assert following == "To rank the backends: samestep run --profile standard"
    # no terminal: a plain line per trial, and no table until the end
    assert len([line for line in err.splitlines() if " of 4" in line]) == 4
    assert "speed-up" not in err
    assert "\x1b" not in out + err


def test_more_rounds_decide_what_was_undecided(run, tmp_path):
    folder = tmp_path / "run"
    _, out, _ = run("--profile=standard", "--seeds=none", "--rounds=2", "--quiet")
    _, out, _ = run("--resume", str(folder))
    *_, following = out.splitlines()
    command = f"samestep run --resume {folder} --rounds 6"
    assert following == f"To decide what is UNDECIDED: {command}"
    code, out, _ = run(*command.split()[2:])
    assert code == 0
    assert "UNDECIDED" not in out
    assert "Preliminary" not in out
    rounds = [trial.round for trial in read_run(folder).trials if trial.round is not None]
    assert sorted(set(rounds)) == list(range(6))
    # no fewer than it has
    code, _, err = run("--resume", str(folder), "--rounds=5")
    assert code == 2
    assert "at least the 6 rounds" in err


def test_a_quiet_run_prints_the_path_of_its_report(run, tmp_path):
    code, out, err = run("--profile=smoke", "--seeds=none", "--quiet")
    assert (code, out, err) == (0, f"{tmp_path / 'run' / 'report.md'}\n", "")


def test_a_quiet_run_prints_what_went_wrong(run, tmp_path):
    write_orders(tmp_path, {"timing pytorch 0 0": "result['status'] = 'failed'"})
    code, out, err = run("--profile=smoke", "--seeds=none", "--quiet")
    assert code == 1
    assert out == f"{tmp_path / 'run' / 'report.md'}\n"
    assert "timing mlp-512 pytorch cpu, round 1: failed: " in err


def test_a_quiet_run_may_answer_in_json(run, tmp_path):
    code, out, err = run("--profile=smoke", "--seeds=none", "--quiet", "--json")
    assert (code, err) == (0, "")
    assert json.loads(out)["report"] == str(tmp_path / "run" / "report.md")


@pytest.mark.parametrize(("rounds", "given"), [(2, "1"), (0, "3")])
def test_a_resumed_run_gets_more_rounds_only_if_it_has_some(samestep, tmp_path, rounds, given):
    folder = write_folder(tmp_path / "run", build_run(plan(rounds=rounds)), [])
    code, _, err = samestep("run", "--resume", str(folder), "--rounds", given)
    assert code == 2
    assert f"Expected: at least the {rounds} rounds of the run, and a run that times" in err


@pytest.mark.parametrize(
    "option",
    [["--workload", "cnn"], ["--backend", "pytorch"], ["--device", "cpu"], ["--out", "x"],
     ["--seeds", "1"], ["--extend"]],
    ids=" ".join,
)  # fmt: skip
def test_options_of_the_plan_are_refused_with_resume(samestep, tmp_path, option):
    code, _, err = samestep("run", "--resume", str(tmp_path), *option)
    assert code == 2
    assert "--resume finishes the plan that the run was started with" in err
