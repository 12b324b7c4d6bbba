"""`samestep run --versus` measures one backend with two Pythons, and judges the second."""

import re
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

Answer = tuple[int, str, str]
ROUNDS = 6
# noise that is the same in each run, so that no test depends on luck
SLOWED = """
draw = __import__("random").Random(name)
factor = {factor} * (1 + draw.uniform(-0.005, 0.005))
for lane, samples in (("native", "slice_seconds"), ("step", "block_seconds")):
    found = result["lanes"][lane]
    found[samples] = [seconds * factor for seconds in found[samples]]
"""


@pytest.fixture
def other_python(tmp_path: Path) -> str:
    """Return the path of a second interpreter, whose packages are newer."""
    newer = tmp_path / "newer"
    script = Path(stand_in(tmp_path)).read_text(encoding="utf-8")
    newer.write_text(script.replace('{"fake": "1.0"}', '{"fake": "1.1"}'), encoding="utf-8")
    newer.chmod(0o755)
    return str(newer)


@pytest.fixture
def run(
    samestep: Callable[..., Answer],
    monkeypatch: pytest.MonkeyPatch,
    data: mnist.Mnist,
    tmp_path: Path,
    other_python: str,
) -> Callable[..., Answer]:
    """Return a function that measures PyTorch with two Pythons, into `tmp_path / "run"`."""
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setattr(mnist, "load", lambda: data)
    monkeypatch.setattr(process, "LEAVE_SECONDS", 0.05)
    # tests/reports tests the figures; here they would only take time
    monkeypatch.setattr(report, "FIGURES", ())
    quiet_machine = look_result(gpus=[], lock_holders=None)
    monkeypatch.setattr(look, "look", lambda *arguments: quiet_machine)
    python = f"--python=pytorch={stand_in(tmp_path)}"
    plan = ("--workload=mlp-512", "--device=cpu", "--seeds=none", f"--rounds={ROUNDS}",
            f"--out={tmp_path / 'run'}")  # fmt: skip

    def start(*arguments: str) -> Answer:
        given = () if "--resume" in arguments else plan
        versus = f"--versus=torch-1.1=pytorch:{other_python}"
        return samestep("run", *given, python, versus, *arguments)

    return start


def slow_down(folder: Path, name: str, factor: float) -> None:
    """Make the timing trials of one name take `factor` times as long, and others vary."""
    names = dict.fromkeys(("pytorch", "torch-1.1"), 1.0) | {name: factor}
    write_orders(
        folder,
        {
            f"timing {other} {turn} {turn}": SLOWED.format(factor=times)
            for other, times in names.items()
            for turn in range(20)
        },
    )


def test_both_environments_are_measured_and_nothing_else(run, tmp_path):
    slow_down(tmp_path, "pytorch", 1.0)
    code, out, _ = run()
    assert code == 0
    found = read_run(tmp_path / "run")
    assert set(found.backends) == {"pytorch", "torch-1.1"}
    assert found.versus == {"torch-1.1": "pytorch"}
    assert found.backends["torch-1.1"].versions == {"fake": "1.1"}
    assert "speed-up against pytorch with 95 % intervals" in out
    sentence = "torch-1.1 is PyTorch in another environment: fake 1.1 instead of 1.0."
    assert sentence in out
    text = (tmp_path / "run" / "report.md").read_text(encoding="utf-8")
    assert sentence in text
    assert text.count("| torch-1.1 against PyTorch |") == 2
    assert "--backend pytorch --versus torch-1.1=pytorch:PYTHON" in text


def test_backends_that_are_named_are_measured_too(run, tmp_path):
    code, *_ = run("--backend=keras-tensorflow", f"--python=keras-tensorflow={stand_in(tmp_path)}")
    assert code == 0
    assert list(read_run(tmp_path / "run").backends) == ["keras-tensorflow", "pytorch", "torch-1.1"]


@pytest.mark.parametrize(
    ("slower", "percent", "code"),
    [("torch-1.1", "5%", 1), ("torch-1.1", "20%", 0), ("pytorch", "5%", 0)],
)
def test_a_run_fails_if_the_other_environment_is_slower(run, tmp_path, slower, percent, code):
    slow_down(tmp_path, slower, 1.1)
    found, _, err = run(f"--fail-slower={percent}")
    lines = [line for line in err.splitlines() if "SLOWER" in line]
    assert found == code
    assert len(lines) == 2 * code
    for line in lines:
        assert line.startswith("samestep: torch-1.1 (cpu) against pytorch on mlp-512 (")
        speedup = re.search(r"\): ([0-9.]+)x \[", line)
        assert speedup is not None
        assert float(speedup[1]) == pytest.approx(1 / 1.1, rel=0.01)
        assert line.endswith(": SLOWER. Expected: less than 5 % more")


def test_too_few_rounds_decide_nothing(run, tmp_path):
    slow_down(tmp_path, "torch-1.1", 1.5)
    code, out, _ = run("--rounds=3", "--fail-slower=5%")
    # as in a comparison of two runs: what is UNDECIDED passes
    assert code == 0
    assert f"--resume {tmp_path / 'run'} --versus torch-1.1=pytorch:PYTHON --rounds 6" in out


def test_a_resumed_run_needs_its_environments_again(run, samestep, tmp_path, other_python):
    assert run()[0] == 0
    folder = str(tmp_path / "run")
    code, _, err = samestep("run", "--resume", folder)
    assert code == 2
    assert "Expected: --versus torch-1.1=pytorch:PYTHON. Received: no --versus" in err
    code, _, err = samestep("run", "--resume", folder, f"--versus=x=pytorch:{other_python}")
    assert code == 2
    assert "Received: x=pytorch" in err
    assert run("--resume", folder, f"--rounds={ROUNDS + 1}")[0] == 0


def test_a_run_gets_no_more_rounds_of_another_version(run, tmp_path, other_python):
    assert run()[0] == 0
    newest = Path(other_python).read_text(encoding="utf-8").replace("1.1", "1.2")
    Path(other_python).write_text(newest, encoding="utf-8")
    before = (tmp_path / "run" / "run.json").read_bytes()
    code, _, err = run("--resume", str(tmp_path / "run"), f"--rounds={ROUNDS + 1}")
    assert code == 1
    assert "torch-1.1 has changed since the run was started" in err
    assert (tmp_path / "run" / "run.json").read_bytes() == before


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (["next=pytorch:/nowhere/python"], "no interpreter for next"),
        (["next=tensorflow:{python}"], "the backend in --versus NAME=BACKEND:PYTHON"),
        (["jax=pytorch:{python}"], "and not the name of a backend"),
        (["Next=pytorch:{python}"], "lower-case words and numbers"),
        (["../next=pytorch:{python}"], "lower-case words and numbers"),
        (["all=pytorch:{python}"], "lower-case words and numbers"),
        ([f"{'n' * 41}=pytorch:{{python}}"], "lower-case words and numbers"),
        (["next"], "the backend in --versus NAME=BACKEND:PYTHON"),
        (["next=pytorch"], "no interpreter for next"),
        (["next=pytorch:{python}", "next=jax:{python}"], "each name once"),
    ],
)
def test_a_wrong_environment_is_one_clear_line(samestep, tmp_path, values, message):
    options = [f"--versus={value.format(python=stand_in(tmp_path))}" for value in values]
    code, _, err = samestep("run", *options, f"--out={tmp_path / 'run'}")
    assert code == 2
    assert message in err
    assert err.count("\n") == 1
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("options", [[], ["--profile=smoke"]])
def test_fail_slower_needs_something_to_judge(samestep, tmp_path, options):
    versus = [f"--versus=next=pytorch:{stand_in(tmp_path)}"] if options else []
    code, _, err = samestep("run", "--fail-slower=5%", *options, *versus)
    assert code == 2
    assert "--fail-slower compares the environments of --versus" in err
