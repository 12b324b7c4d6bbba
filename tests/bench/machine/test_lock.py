"""A second run at a time is refused with the holder's name; no lock outlives its holder."""

import fcntl
import os
import re
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bench.errors import LockedError, WriteError
from bench.machine import lock, nvml, run_lock
from bench.machine.lock import MACHINE, hold, holder, lock_path
from bench.run import carry_out
from tests.records import build_run, plan, write_folder

ROOT = Path(__file__).resolve().parent.parent.parent.parent
PURPOSE = "samestep run in /a/folder"


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "locks").mkdir()
    monkeypatch.setenv(lock.VARIABLE, str(tmp_path / "locks"))


def test_a_second_run_is_refused_with_one_line_that_names_the_first():
    with (
        hold(MACHINE, purpose=PURPOSE),
        pytest.raises(LockedError) as caught,
        hold(MACHINE, purpose="mine"),
    ):
        pytest.fail("two hold the machine")
    assert caught.value.exit_code == 75
    assert re.fullmatch(
        rf"another run holds this machine\. Expected: one run at a time\. Received: {PURPOSE}, "
        rf"pid {os.getpid()} of \S.*, since \d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00\. "
        r"Wait until it has ended, or end it",
        str(caught.value),
    )


def test_a_lock_is_free_again_after_success_and_failure():
    with hold(MACHINE, purpose=PURPOSE):
        assert holder(MACHINE).startswith(PURPOSE)
    assert holder(MACHINE) is None
    with pytest.raises(ZeroDivisionError), hold(MACHINE, purpose=PURPOSE):
        1 / 0  # noqa: B018 - any failure inside
    assert holder(MACHINE) is None
    assert lock_path(MACHINE).read_text() == ""


def test_a_name_that_was_never_locked_has_no_holder():
    assert holder(MACHINE) is None
    assert not lock_path(MACHINE).exists()


HOLDER = f"""
import subprocess, time
from bench.machine.lock import hold
with hold("machine", purpose={PURPOSE!r}):
    # a child that inherits all descriptors that can be inherited
    print(subprocess.Popen(["sleep", "60"], close_fds=False).pid, flush=True)
    time.sleep(60)
"""


@contextmanager
def start_holder() -> "Iterator[tuple[subprocess.Popen[str], int]]":
    """Yield a process that holds the machine, and the number of its child."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        child = int(process.stdout.readline())
        try:
            yield process, child
        finally:
            process.kill()
            os.kill(child, signal.SIGKILL)


def test_a_lock_ends_with_a_killed_holder_even_if_its_child_lives_on():
    with start_holder() as (process, child):
        with pytest.raises(LockedError, match=f"pid {process.pid} of"), hold(MACHINE, purpose=""):
            pytest.fail("two hold the machine")
        process.kill()
        process.wait()
        os.kill(child, 0)
        assert lock_path(MACHINE).read_text().startswith(PURPOSE)
        assert holder(MACHINE) is None
        with hold(MACHINE, purpose="the next"):
            assert holder(MACHINE).startswith("the next")


def test_all_names_are_locked_or_none():
    with hold("GPU-1", purpose=PURPOSE):
        refused = pytest.raises(LockedError, match="another run holds GPU-1")
        with refused, hold(MACHINE, "GPU-1", purpose="mine"):
            pytest.fail("two hold a GPU")
        assert holder(MACHINE) is None
        with hold(MACHINE, "GPU-0", purpose="on another GPU"):
            assert holder("GPU-0").startswith("on another GPU")


def test_every_user_may_lock_at_any_umask_of_the_first_user():
    before = os.umask(0o077)
    try:
        with hold(MACHINE, purpose=PURPOSE):
            assert stat.S_IMODE(lock_path(MACHINE).stat().st_mode) == 0o666
    finally:
        os.umask(before)


def test_another_users_file_is_locked_without_asking_to_create_or_to_write(monkeypatch):
    lock_path(MACHINE).write_text("left by another user")
    open_file = os.open

    def open_like_kernel(path: Path, flags: int, mode: int = 0o777) -> int:
        """Open a file like the kernel opens another user's file of mode 644 in /tmp."""
        if flags & (os.O_CREAT | os.O_RDWR | os.O_WRONLY):
            raise PermissionError(13, "Permission denied")
        return open_file(path, flags, mode)

    monkeypatch.setattr(lock.os, "open", open_like_kernel)
    with hold(MACHINE, purpose=PURPOSE), pytest.raises(LockedError), hold(MACHINE, purpose=""):
        pytest.fail("two hold the machine")
    assert holder(MACHINE) is None


def test_an_existing_file_is_never_created(monkeypatch):
    """In a folder such as /tmp, the kernel refuses this for another user's file, even to root."""
    with hold(MACHINE, purpose=PURPOSE):
        pass
    calls = []
    open_file = os.open
    monkeypatch.setattr(
        lock.os,
        "open",
        lambda path, flags, *mode: calls.append(flags) or open_file(path, flags, *mode),
    )
    with hold(MACHINE, purpose=PURPOSE):
        assert holder(MACHINE)
    assert calls
    assert not any(flags & os.O_CREAT for flags in calls)


@pytest.mark.parametrize("exists", [True, False], ids=["a file", "nothing"])
def test_a_symbolic_link_is_neither_followed_nor_replaced(tmp_path, exists):
    target = tmp_path / "precious"
    if exists:
        target.write_text("precious")
    lock_path(MACHINE).symlink_to(target)
    refused = pytest.raises(WriteError, match=f"^cannot lock {lock_path(MACHINE)}: ")
    with refused as caught, hold(MACHINE, purpose=PURPOSE):
        pytest.fail("locked through a link")
    assert f"Remove it, or name another folder in {lock.VARIABLE}" in str(caught.value)
    assert caught.value.exit_code == 74
    assert lock_path(MACHINE).is_symlink()
    assert target.exists() == exists
    assert not exists or target.read_text() == "precious"
    assert holder(MACHINE).startswith("unknown: cannot read")


def test_a_file_with_a_second_name_is_locked_but_not_written(tmp_path):
    precious = tmp_path / "precious"
    precious.write_text("precious")
    os.link(precious, lock_path(MACHINE))
    with hold(MACHINE, purpose=PURPOSE), pytest.raises(LockedError), hold(MACHINE, purpose=""):
        pytest.fail("two hold the machine")
    assert precious.read_text() == "precious"


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir], ids=["a pipe", "a folder"])
def test_a_path_that_is_no_regular_file_is_refused_at_once(make):
    make(lock_path(MACHINE))
    with pytest.raises(WriteError, match="Expected: a plain file"), hold(MACHINE, purpose=PURPOSE):
        pytest.fail("locked what is no file")


def test_a_missing_folder_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setenv(lock.VARIABLE, str(tmp_path / "nowhere"))
    with pytest.raises(WriteError, match="No such file or directory"), hold(MACHINE, purpose=""):
        pytest.fail("locked what is not there")


def test_a_file_that_was_replaced_before_the_lock_is_locked_again(monkeypatch):
    flock, calls = fcntl.flock, []

    def replace_and_lock(descriptor: int, how: int) -> None:
        """Replace the file once, after it was opened and before it is locked."""
        if not calls:
            lock_path(MACHINE).unlink()
        calls.append(how)
        flock(descriptor, how)

    monkeypatch.setattr(lock.fcntl, "flock", replace_and_lock)
    with hold(MACHINE, purpose=PURPOSE):
        assert holder(MACHINE).startswith(PURPOSE)


def test_a_reader_that_looks_at_the_lock_refuses_no_run():
    lock_path(MACHINE).touch()
    with lock_path(MACHINE).open() as reader:
        fcntl.flock(reader, fcntl.LOCK_SH)
        threading.Timer(0.03, lambda: fcntl.flock(reader, fcntl.LOCK_UN)).start()
        with hold(MACHINE, purpose=PURPOSE):
            assert holder(MACHINE).startswith(PURPOSE)


@pytest.mark.parametrize(
    ("content", "shown"),
    [
        (b"", "unknown"),
        (b"\n\0", "unknown"),
        (b"\x1b[2Jroot\nsamestep: all is well", "[2Jroot samestep: all is well"),
        (b"\xff", "\N{REPLACEMENT CHARACTER}"),
        (b"x" * 9999, "x" * lock.LONGEST_HOLDER_BYTES),
    ],
    ids=["nothing", "nothing to see", "control characters", "no text", "far too much"],
)
def test_the_text_of_a_holder_is_shown_as_one_short_line(content, shown):
    lock_path(MACHINE).write_bytes(content)
    with lock_path(MACHINE).open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert holder(MACHINE) == shown


def test_the_lock_folder_is_the_first_that_all_users_may_write(tmp_path, monkeypatch):
    modes = {"missing": None, "of one user": 0o755, "of all": 0o1777, "of all too": 0o1777}
    for name, mode in modes.items():
        if mode is not None:
            (tmp_path / name).mkdir()
            (tmp_path / name).chmod(mode)
    monkeypatch.setattr(lock, "FOLDERS", tuple(tmp_path / name for name in modes))
    assert lock.lock_folder() == tmp_path / "locks"
    monkeypatch.delenv(lock.VARIABLE)
    assert lock.lock_folder() == tmp_path / "of all"


def test_a_run_takes_the_machine_and_each_of_its_gpus(monkeypatch, tmp_path):
    monkeypatch.setattr(nvml, "gpu_uuid", lambda device: f"GPU-{device[-1]}")
    assert run_lock.lock_names(["cpu"]) == [MACHINE]
    with run_lock.hold_machine(["cpu", "cuda:0", "cuda:1"], "run", Path("runs/a")):
        for name in (MACHINE, "GPU-0", "GPU-1"):
            assert holder(name).startswith(f"samestep run in {Path.cwd()}/runs/a, pid ")
        assert holder("GPU-2") is None


def test_a_resumed_run_takes_the_gpus_of_its_plan():
    trials = plan(workloads=["mlp-512"], backends=["pytorch"], devices=["cpu", "cuda:0"], rounds=1)
    assert carry_out.devices_of(build_run(trials)) == ("cpu", "cuda:0")


@pytest.mark.parametrize("command", ["run", "parity"])
def test_nothing_is_written_while_another_run_holds_the_machine(samestep, tmp_path, command):
    with hold(MACHINE, purpose=PURPOSE):
        code, out, err = samestep(command, "--device", "cpu", "--out", str(tmp_path / "run"))
    assert (code, out) == (75, "")
    assert err.startswith("samestep: another run holds this machine. Expected: ")
    assert err.count("\n") == 1
    assert not (tmp_path / "run").exists()


def test_a_run_is_not_resumed_while_another_run_holds_the_machine(samestep, tmp_path):
    trials = plan(workloads=["mlp-512"], backends=["pytorch"], rounds=1)
    write_folder(tmp_path / "run", build_run(trials), [])
    before = sorted(tmp_path.rglob("*"))
    with hold(MACHINE, purpose=PURPOSE):
        code, _, err = samestep("run", "--resume", str(tmp_path / "run"))
    assert code == 75
    assert f"Received: {PURPOSE}, pid {os.getpid()}" in err
    assert [path for path in sorted(tmp_path.rglob("*")) if path != lock_path(MACHINE)] == before
