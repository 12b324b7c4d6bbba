"""An atomic write replaces a file as a whole, or leaves the old file and nothing else."""

import os
import stat
from concurrent.futures import ThreadPoolExecutor

import pytest

from bench import files
from bench.errors import WriteError
from bench.files import write_atomically


def test_a_write_creates_folders_and_replaces_a_file(tmp_path):
    path = tmp_path / "a" / "b" / "record.json"
    write_atomically(path, b"old")
    write_atomically(path, b"new")
    assert path.read_bytes() == b"new"
    assert list(path.parent.iterdir()) == [path]


def test_other_users_may_read_a_written_file(tmp_path):
    path = tmp_path / "record.json"
    write_atomically(path, b"")
    assert stat.S_IMODE(path.stat().st_mode) == 0o644


@pytest.mark.parametrize("call", ["mkstemp", "fdopen", "fsync", "chmod", "replace"])
def test_a_failure_keeps_the_old_content_and_leaves_no_file(tmp_path, monkeypatch, call):
    path = tmp_path / "record.json"
    write_atomically(path, b"old")

    def raise_no_space(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.tempfile if call == "mkstemp" else files.os, call, raise_no_space)
    with pytest.raises(WriteError) as error:
        write_atomically(path, b"new")
    monkeypatch.undo()
    assert str(error.value) == f"cannot write {path}: No space left on device"
    assert error.value.exit_code == 74
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_device_that_is_full_during_a_write_keeps_the_old_content(tmp_path, monkeypatch):
    path = tmp_path / "record.json"
    write_atomically(path, b"old")
    fdopen = os.fdopen

    def write_half(descriptor, mode):
        file = fdopen(descriptor, mode, buffering=0)
        file.write(b"ne")
        file.close()
        # the next write to this file fails
        return fdopen(os.open(os.devnull, os.O_RDONLY), mode)

    monkeypatch.setattr(files.os, "fdopen", write_half)
    with pytest.raises(WriteError):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_in_the_place_of_a_folder_is_an_error(tmp_path):
    (tmp_path / "runs").write_bytes(b"")
    with pytest.raises(WriteError, match=r"cannot write .*/runs/record\.json: "):
        write_atomically(tmp_path / "runs" / "record.json", b"")
    assert (tmp_path / "runs").read_bytes() == b""


def test_an_interruption_is_raised_and_leaves_no_file(tmp_path, monkeypatch):
    def interrupt(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr(files.os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_atomically(tmp_path / "record.json", b"new")
    assert not (tmp_path / "record.json").exists()


def rewrite(path, letter):
    for _ in range(30):
        write_atomically(path, letter * 10_000)


def test_a_reader_sees_one_complete_content(tmp_path):
    path = tmp_path / "record.json"
    write_atomically(path, b"x" * 10_000)
    with ThreadPoolExecutor(2) as pool:
        writers = [pool.submit(rewrite, path, letter) for letter in (b"a", b"b")]
        contents = set()
        while not all(writer.done() for writer in writers):
            contents.add(path.read_bytes())
        for writer in writers:
            writer.result()
    assert contents <= {letter * 10_000 for letter in (b"a", b"b", b"x")}
    assert list(tmp_path.iterdir()) == [path]
