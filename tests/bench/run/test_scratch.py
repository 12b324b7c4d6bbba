"""A scratch folder is removed by the process that made it, or by the next run."""

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from bench.run.scratch import scratch_folder, sweep

HOLDING = """
import time
from bench.run.scratch import scratch_folder
with scratch_folder() as folder:
    (folder / "file").write_text("something")
    print(folder, flush=True)
    time.sleep(600)
"""


@pytest.fixture(autouse=True)
def _own_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)


def test_a_scratch_folder_is_empty_and_removed_afterwards():
    with scratch_folder() as folder:
        assert list(folder.iterdir()) == []
        (folder / "file").write_text("something")
    assert not folder.exists()


def test_the_folder_of_a_killed_process_is_removed_and_that_of_a_live_process_stays():
    with subprocess.Popen([sys.executable, "-c", HOLDING], stdout=subprocess.PIPE) as process:
        folder = Path(process.stdout.readline().decode().strip())
        with scratch_folder() as own:
            sweep()
            assert folder.is_dir()
            assert own.is_dir()
        process.send_signal(signal.SIGKILL)
    assert folder.is_dir()
    sweep()
    assert not folder.exists()


def test_links_and_files_are_not_removed(tmp_path):
    target = tmp_path / "target"
    target.mkdir()
    (tmp_path / "samestep-link").symlink_to(target)
    (tmp_path / "samestep-file").write_text("something")
    os.mkfifo(tmp_path / "samestep-pipe")
    sweep()
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "samestep-file",
        "samestep-link",
        "samestep-pipe",
        "target",
    ]
