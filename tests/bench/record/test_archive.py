"""A published run's archive holds the records of the files; a damaged archive is refused."""

import gzip
import re

import pytest

from bench.errors import RecordError
from bench.record import archive
from bench.record.archive import ARCHIVE, read_lines, write_archive
from bench.record.stored import read_records, record_path, stored_records
from tests.records import build_records, build_run, plan, write_folder


@pytest.fixture(scope="module")
def run_and_records():
    trials = plan(workloads=("mlp-512",), rounds=2, seeds=())
    return build_run(trials), build_records(trials)


@pytest.fixture
def folder_and_lines(run_and_records, tmp_path):
    """Return the run's folder, which has an archive, and the lines of the archive."""
    run, records = run_and_records
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


def test_an_archive_holds_what_the_files_held(run_and_records, folder_and_lines):
    run, records = run_and_records
    assert list(read_records(folder_and_lines[0], run)) == records


def test_an_archive_has_neither_time_nor_name(folder_and_lines):
    folder, lines = folder_and_lines
    before = (folder / ARCHIVE).read_bytes()
    write_archive(folder / f"other-{ARCHIVE}", lines)
    assert (folder / f"other-{ARCHIVE}").read_bytes() == before
    assert before[3:8] == b"\0" * 5


def test_trials_without_a_record_are_left_out(run_and_records, folder_and_lines):
    run, records = run_and_records
    folder, lines = folder_and_lines
    write_archive(folder / ARCHIVE, lines[1::2])
    assert list(read_records(folder, run)) == records[1::2]


@pytest.mark.parametrize("order", [(1, 0, 2, 3), (0, 0, 1, 2)])
def test_another_order_is_refused(run_and_records, folder_and_lines, order):
    folder, lines = folder_and_lines
    write_archive(folder / ARCHIVE, [lines[place] for place in order])
    message = refusal(folder, run_and_records[0])
    assert "line 2 belongs to another run or trial, or is not in the plan's order" in message


def test_a_record_of_another_run_is_refused(run_and_records, folder_and_lines):
    other = run_and_records[0].model_copy(update={"run_id": "another"})
    assert "line 1 belongs to another run" in refusal(folder_and_lines[0], other)


def test_an_altered_record_is_refused(run_and_records, folder_and_lines):
    folder, lines = folder_and_lines
    write_archive(folder / ARCHIVE, [lines[0], lines[1].replace(b'"seed":1', b'"seed":2')])
    assert f"{ARCHIVE}, line 2 was changed after it was written" in refusal(
        folder, run_and_records[0]
    )


@pytest.mark.parametrize(
    ("damage", "pattern"),
    [
        (lambda content: content[:-20], "cannot read .*end-of-stream"),
        (lambda content: content[:200] + bytes(50) + content[250:], "cannot read .*"),
        (lambda content: b"records", "cannot read .*gzip"),
        (lambda content: gzip.compress(b"{}\n"), "line 1 is not a record"),
        (lambda content: gzip.compress(b"\n"), "line 1 is not strict JSON"),
    ],
)
def test_a_damaged_archive_is_refused(run_and_records, folder_and_lines, damage, pattern):
    path = folder_and_lines[0] / ARCHIVE
    path.write_bytes(damage(path.read_bytes()))
    assert re.search(pattern, refusal(folder_and_lines[0], run_and_records[0]))


def test_an_absurdly_large_line_is_refused(folder_and_lines, monkeypatch):
    folder, lines = folder_and_lines
    monkeypatch.setattr(archive, "LARGEST_LINE_BYTES", max(map(len, lines)) - 1)
    with pytest.raises(RecordError, match=r"too large\. Expected: at most .* bytes in a line"):
        list(read_lines(folder / ARCHIVE))


def test_absurdly_many_lines_are_refused(folder_and_lines, monkeypatch):
    folder, lines = folder_and_lines
    monkeypatch.setattr(archive, "LARGEST_ARCHIVE_BYTES", sum(map(len, lines)) - 1)
    with pytest.raises(RecordError, match=r"too large\. Expected: at most .* bytes in all lines"):
        list(read_lines(folder / ARCHIVE))


def test_records_as_files_and_as_an_archive_are_refused(run_and_records, folder_and_lines):
    write_folder(folder_and_lines[0], *run_and_records)
    assert "holds its records twice" in refusal(folder_and_lines[0], run_and_records[0])
