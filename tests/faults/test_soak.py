"""What the soak calls wrong: a record that is gone or changed, growth, whatever was left."""

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from bench.record.stored import RECORDS
from tests.faults.soak import Found, Kept, Memory
from tests.records import build_records, build_run, plan, write_folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    trials = plan(workloads=("mlp-512",), rounds=2, seeds=())
    return write_folder(tmp_path / "run", build_run(trials), build_records(trials))


def test_finished_records_that_stay_are_well(folder):
    kept, found = Kept(folder), Found()
    kept.check(found)
    kept.check(found)
    assert found.passed
    assert len(kept.seen) == 4


def test_a_lost_and_a_changed_record_are_found(folder):
    kept, found = Kept(folder), Found()
    kept.check(found)
    first, second, *_ = sorted((folder / RECORDS).iterdir())
    first.unlink()
    second.write_bytes(second.read_bytes().replace(b'"ok"', b'"oK"', 1))
    kept.check(found)
    assert (found.lost, found.changed) == (1, 1)
    # it is no record any more either
    assert len(found.wrong) == 1
    assert not found.passed


def test_memory_counts_from_the_first_worker_on_and_only_while_there_are_any():
    memory = Memory()
    for resident, workers in ((50, 0), (80, 2), (90, 1), (400, 0), (85, 2)):
        memory.note(resident, workers)
    assert memory.growth == 10


def test_what_was_found_is_json():
    found = Found(kills={"run, SIGKILL": 3}, records={"ok": 2}, minutes=0.1)
    assert Found(**json.loads(json.dumps(asdict(found)))) == found


@pytest.mark.parametrize(
    "changes",
    [{"lost": 1}, {"changed": 1}, {"orphans": 1}, {"temporary": 1}, {"growth_mb": 51.0},
     {"wrong": ["a traceback was printed"]}],
)  # fmt: skip
def test_each_of_these_fails_it(changes):
    assert Found(kills={"run, SIGKILL": 3}).passed
    assert not Found(**changes).passed
