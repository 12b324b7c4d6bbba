"""The soak fails for a lost or changed record, growing memory, and processes or files left."""

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from bench.record.stored import RECORDS
from tests.faults.soak import FinishedRecords, Memory, SoakResult
from tests.records import build_records, build_run, plan, write_folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    trials = plan(workloads=("mlp-512",), rounds=2, seeds=())
    return write_folder(tmp_path / "run", build_run(trials), build_records(trials))


def test_finished_records_that_stay_pass(folder):
    records, result = FinishedRecords(folder), SoakResult()
    records.check(result)
    records.check(result)
    assert result.passed
    assert len(records.contents) == 4


def test_a_lost_and_a_changed_record_are_counted(folder):
    records, result = FinishedRecords(folder), SoakResult()
    records.check(result)
    first, second, *_ = sorted((folder / RECORDS).iterdir())
    first.unlink()
    second.write_bytes(second.read_bytes().replace(b'"ok"', b'"oK"', 1))
    records.check(result)
    assert (result.lost, result.changed) == (1, 1)
    # the changed file is also no record
    assert len(result.wrong) == 1
    assert not result.passed


def test_memory_is_measured_from_the_first_worker_and_while_there_are_workers():
    memory = Memory()
    for resident, workers in ((50, 0), (80, 2), (90, 1), (400, 0), (85, 2)):
        memory.note(resident, workers)
    assert memory.growth == 10


def test_a_result_can_be_written_as_json():
    result = SoakResult(kills={"run, SIGKILL": 3}, records={"ok": 2}, minutes=0.1)
    assert SoakResult(**json.loads(json.dumps(asdict(result)))) == result


@pytest.mark.parametrize(
    "changes",
    [{"lost": 1}, {"changed": 1}, {"orphans": 1}, {"temporary": 1}, {"growth_mb": 51.0},
     {"wrong": ["a traceback was printed"]}],
)  # fmt: skip
def test_each_problem_fails_the_soak(changes):
    assert SoakResult(kills={"run, SIGKILL": 3}).passed
    assert not SoakResult(**changes).passed
