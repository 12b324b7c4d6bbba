"""Runs of an earlier version can still be resumed, reported, compared and verified.

`tests/earlier` contains two small runs with stand-in workers, made by samestep 0.1.0 before its
modules moved into rooms. One is complete; the other was interrupted after five of ten trials.
"""

import json
import shutil
from pathlib import Path

import pytest

from bench.run import process
from tests.faults.stand_in import stand_in
from tests.records import BACKENDS

EARLIER = Path(__file__).parent / "earlier"
WHOLE, INTERRUPTED = EARLIER / "whole", EARLIER / "interrupted"


@pytest.fixture
def interrupted_run(tmp_path: Path) -> Path:
    return Path(shutil.copytree(INTERRUPTED, tmp_path / "interrupted"))


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.mark.parametrize("folder", [WHOLE, INTERRUPTED])
def test_an_earlier_run_gets_a_report_that_is_verified(samestep, folder, tmp_path):
    run = shutil.copytree(folder, tmp_path / folder.name)
    assert samestep("report", str(run))[0] == 0
    code, out, _ = samestep("verify", str(run))
    assert (code, "differ" in out) == (0, False), out


def test_an_earlier_run_with_one_digit_changed_is_not_verified(samestep, interrupted_run):
    assert samestep("report", str(interrupted_run))[0] == 0
    page = interrupted_run / "network-mlp-512.md"
    text = page.read_text(encoding="utf-8")
    assert "128" in text
    page.write_text(text.replace("128", "129", 1), encoding="utf-8")
    assert samestep("verify", str(interrupted_run))[0] == 1


def test_earlier_runs_are_compared(samestep):
    code, out, _ = samestep("compare", str(WHOLE), str(WHOLE), "--json")
    assert code == 0
    assert [cell["verdict"] for cell in json.loads(out)["claims"]] == ["SAME"] * 4
    code, _, err = samestep("compare", str(WHOLE), str(INTERRUPTED))
    assert (code, "is a smoke run, which ranks nothing" in err) == (2, True)


def test_an_interrupted_earlier_run_can_be_finished(
    samestep, interrupted_run, tmp_path, monkeypatch
):
    monkeypatch.setattr(process, "LEAVE_SECONDS", 0.05)
    before = contents(interrupted_run / "records")
    pythons = [f"--python={name}={stand_in(tmp_path)}" for name in BACKENDS]
    code, out, err = samestep("run", f"--resume={interrupted_run}", *pythons)
    assert (code, out.splitlines()[0]) == (0, "10 of 10 trials: 10 ok"), err
    after = contents(interrupted_run / "records")
    assert len(after) == 10
    assert before.items() <= after.items()
    assert samestep("verify", str(interrupted_run))[0] == 0
