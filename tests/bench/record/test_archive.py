"""A published run's archive of records: the same as the files, and strict where it is damaged."""

import gzip
import re

import pytest

from bench.errors import RecordError
from bench.record import archive
from bench.record.archive import ARCHIVE, read_lines, write_archive
from bench.record.stored import read_records, record_path, stored_records
from tests.records import build_records, build_run, plan, write_folder


@pytest.fixture(scope="module")
def made():
    trials = plan(workloads=("mlp-512",), rounds=2, seeds=())
    return build_run(trials), build_records(trials)


@pytest.fixture
def packed(made, tmp_path):
    """The run's folder with an archive, and the lines in it."""
    run, records = made
    write_folder(tmp_path, run, records)
    lines = [stored.content for stored in stored_records(tmp_path, run)]
    for trial in run.trials:
        record_path(tmp_path, trial).unlink()
    (tmp_path / "records").rmdir()
    write_archive(tmp_path / ARCHIVE, lines)
    return tmp_path, lines


def refusal(folder, run) -> str:
    with pytest.raises(RecordError) as error:
        list(read_records(folder, run))
    assert "\n" not in str(error.value)
    return str(error.value)


def test_an_archive_holds_what_the_files_held(made, packed):
    run, records = made
    assert list(read_records(packed[0], run)) == records


def test_it_has_neither_time_nor_name(packed):
    folder, lines = packed
    before = (folder / ARCHIVE).read_bytes()
    write_archive(folder / f"other-{ARCHIVE}", lines)
    assert (folder / f"other-{ARCHIVE}").read_bytes() == before
    assert before[3:8] == b"\0" * 5


def test_trials_without_a_record_are_left_out(made, packed):
    run, records = made
    folder, lines = packed
    write_archive(folder / ARCHIVE, lines[1::2])
    assert list(read_records(folder, run)) == records[1::2]


@pytest.mark.parametrize("order", [(1, 0, 2, 3), (0, 0, 1, 2)])
def test_another_order_is_refused(made, packed, order):
    folder, lines = packed
    write_archive(folder / ARCHIVE, [lines[place] for place in order])
    found = refusal(folder, made[0])
    assert "line 2 belongs to another run or trial, or is not in the plan's order" in found


def test_a_record_of_another_run_is_refused(made, packed):
    other = made[0].model_copy(update={"run_id": "another"})
    assert "line 1 belongs to another run" in refusal(packed[0], other)


def test_an_altered_record_is_refused(made, packed):
    folder, lines = packed
    write_archive(folder / ARCHIVE, [lines[0], lines[1].replace(b'"seed":1', b'"seed":2')])
    assert f"{ARCHIVE}, line 2 was changed after it was written" in refusal(folder, made[0])


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda content: content[:-20], "cannot read .*end-of-stream"),
        (lambda content: content[:200] + bytes(50) + content[250:], "cannot read .*"),
        (lambda content: b"records", "cannot read .*gzip"),
        (lambda content: gzip.compress(b"{}\n"), "line 1 is not a record"),
        (lambda content: gzip.compress(b"\n"), "line 1 is not strict JSON"),
    ],
)
def test_a_damaged_archive_is_refused(made, packed, damage, said):
    path = packed[0] / ARCHIVE
    path.write_bytes(damage(path.read_bytes()))
    assert re.search(said, refusal(packed[0], made[0]))


def test_an_absurdly_large_line_is_refused(packed, monkeypatch):
    folder, lines = packed
    monkeypatch.setattr(archive, "LARGEST_LINE_BYTES", max(map(len, lines)) - 1)
    with pytest.raises(RecordError, match=r"too large\. Expected: at most .* bytes in a line"):
        list(read_lines(folder / ARCHIVE))


def test_absurdly_many_lines_are_refused(packed, monkeypatch):
    folder, lines = packed
    monkeypatch.setattr(archive, "LARGEST_ARCHIVE_BYTES", sum(map(len, lines)) - 1)
    with pytest.raises(RecordError, match=r"too large\. Expected: at most .* bytes in all lines"):
        list(read_lines(folder / ARCHIVE))


def test_two_forms_at_once_are_refused(made, packed):
    write_folder(packed[0], *made)
    assert "holds its records twice" in refusal(packed[0], made[0])
