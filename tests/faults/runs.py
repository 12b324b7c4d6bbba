"""Runs for the matrix: the real command in a process of its own, and what it left behind."""

import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from unittest.mock import patch

import psutil

from bench import cli, mnist
from bench.errors import SamestepError
from bench.machine.lock import VARIABLE
from bench.record import read_record
from bench.record.run import RUN_FILE, read_run
from bench.record.stored import RECORDS, read_records

# what the command imports when it needs it: before a fork it is loaded once for all children
from bench.run import carry_out, display  # noqa: F401
from reports import report
from reports.results.predictions import images_and_classes
from tests.faults.stand_in import stand_in
from tests.records import BACKENDS

LONGEST_SECONDS = 60.0
INTERVAL_SECONDS = 0.005
# about as long as a whole run takes
STAND_IN_SECONDS = 1.5
REAL_SECONDS = 120.0


def nothing() -> None:
    """What a command does before all else, unless a row has more to say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the tries of a row happen, and what runs there.

    `interpreters` are those of the backends, `plan` says what a run of them does, `seconds` are
    about those that it takes.
    """

    root: Path
    interpreters: Mapping[str, str]
    plan: Sequence[str]
    seconds: float

    @classmethod
    def make(cls, root: Path) -> "Place":
        """With a script that plays the backends: two certificates, four rounds, four trainings."""
        (root / "temporary").mkdir()
        return cls(
            root=root,
            interpreters=dict.fromkeys(BACKENDS, stand_in(root)),
            plan=("--rounds=4", "--seeds=0,1"),
            seconds=STAND_IN_SECONDS,
        )

    @classmethod
    def real(cls, root: Path, interpreters: Mapping[str, str]) -> "Place":
        """With real backends: each has a certificate, a round and a training."""
        (root / "temporary").mkdir()
        return cls(
            root=root,
            interpreters=interpreters,
            plan=("--rounds=1", "--seeds=0", f"--backend={','.join(interpreters)}"),
            seconds=REAL_SECONDS,
        )

    @property
    def interpreter(self) -> str:
        """The script that plays the backends."""
        return self.interpreters[BACKENDS[0]]

    @property
    def longest_seconds(self) -> float:
        """What a run may take at most, on a machine that others use too."""
        return LONGEST_SECONDS + 6 * self.seconds

    @property
    def temporary(self) -> Path:
        return self.root / "temporary"

    def run(self, folder: Path, *arguments: str, first: Callable[[], object] = nothing) -> int:
        """Start `samestep run` on this folder; its process, which does `first` before all else."""
        pythons = [f"--python={name}={python}" for name, python in self.interpreters.items()]
        output = self.root / f"{folder.name}.out"
        return forked(["run", *arguments, *pythons], output, self.temporary, first)

    def start(self, folder: Path, first: Callable[[], object] = nothing) -> int:
        """A new run, with one cell of each backend."""
        plan = ("--profile=smoke", "--workload=mlp-512", *self.plan)
        return self.run(folder, *plan, f"--out={folder}", first=first)

    def resume(self, folder: Path) -> int:
        return self.run(folder, f"--resume={folder}")

    def output(self, folder: Path) -> str:
        return (self.root / f"{folder.name}.out").read_text(encoding="utf-8")


def forked(
    arguments: Sequence[str],
    output: Path,
    temporary: Path,
    first: Callable[[], object] = nothing,
) -> int:
    """The command in a child of this process, which has imported everything already."""
    data = loaded()
    output.touch()
    process = os.fork()
    if process:
        return process
    # from here on the child, which never returns
    try:
        command(arguments, output, temporary, data, first)
    finally:
        os._exit(70)


@cache
def loaded() -> mnist.Mnist:
    """Return the data set, read once for all children; the report's images as well."""
    images_and_classes()
    return mnist.load()


def command(
    arguments: Sequence[str],
    output: Path,
    temporary: Path,
    data: mnist.Mnist,
    first: Callable[[], object],
) -> None:
    descriptor = os.open(output, os.O_WRONLY | os.O_APPEND)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    # under pytest they are files of its own
    sys.stdout, sys.stderr = (os.fdopen(n, "w", buffering=1, closefd=False) for n in (1, 2))
    os.environ[VARIABLE] = str(temporary.parent)
    os.environ["TMPDIR"] = tempfile.tempdir = str(temporary)
    sys.argv = ["samestep", *arguments]
    # in a job that a shell started in the background it is ignored
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # what is tested elsewhere and would take most of the time
    with (
        patch.object(carry_out, "SMOKE_LOOK_SECONDS", 0.05),
        patch.object(report, "FIGURES", ()),
        patch.object(mnist, "load", lambda: data),
    ):
        first()
        run_command()


def run_command() -> None:
    try:
        cli.main()
    except SystemExit as ended:
        sys.stdout.flush()
        os._exit(ended.code if isinstance(ended.code, int) else 70)


def ended(process: int, most_seconds: float = LONGEST_SECONDS) -> int:
    """Wait for it; its exit code, or the signal that ended it as a negative number."""
    due = time.monotonic() + most_seconds
    while time.monotonic() < due:
        found, status = os.waitpid(process, os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(status)
        time.sleep(INTERVAL_SECONDS)
    raise TimeoutError(f"process {process} goes on")


def wait_for_output(place: Place, folder: Path) -> None:
    """Return when the run on this folder has said something: it is in the midst of its work."""
    due = time.monotonic() + LONGEST_SECONDS
    while not place.output(folder):
        if time.monotonic() > due:
            raise TimeoutError(f"no word of the run in {folder}")
        time.sleep(INTERVAL_SECONDS)


def workers(place: Place) -> list[int]:
    """Every worker of the runs here: it has its temporary folder in theirs."""
    return [
        one.pid
        for one in psutil.process_iter(["environ", "status"])
        if Path((one.info["environ"] or {}).get("TMPDIR", "/")).parent == place.temporary
        and one.info["status"] != psutil.STATUS_ZOMBIE
    ]


def seconds_until_gone(place: Place, most: float) -> float | None:
    """How long the last worker needs to end; None where one outlives `most` seconds."""
    started = time.monotonic()
    while workers(place):
        if time.monotonic() - started > most:
            return None
        time.sleep(INTERVAL_SECONDS)
    return time.monotonic() - started


def kept(folder: Path) -> dict[str, bytes]:
    """The records of a run, by name; none where there is no run yet."""
    return {path.name: path.read_bytes() for path in sorted((folder / RECORDS).glob("*.json"))}


def damaged(folder: Path) -> list[str]:
    """What of the run's files can't be read as what it should be."""
    found = []
    if (folder / RUN_FILE).exists():
        try:
            read_run(folder)
        except SamestepError as error:
            found.append(str(error))
    for name in kept(folder):
        try:
            read_record(folder / RECORDS / name)
        except SamestepError as error:
            found.append(str(error))
    return found


def unfinished(place: Place, folder: Path) -> list[str]:
    """Temporary files and folders that are left."""
    return [str(path) for path in (*place.temporary.iterdir(), *folder.rglob(".*"))]


@contextmanager
def none_left(place: Place) -> Iterator[None]:
    """However a try ends, its workers go with it."""
    try:
        yield
    finally:
        for process in workers(place):
            os.kill(process, 9)


def shortfalls(folder: Path, code: int) -> Iterator[str]:
    """What a run that was resumed lacks at its end."""
    if code != 0:
        yield f"exit code {code} at the end"
        return
    run = read_run(folder)
    good = sum(one.status == "ok" for one in read_records(folder, run))
    if good != len(run.trials):
        yield f"{good} of {len(run.trials)} trials are ok at the end"
    if run.sessions[-1].outcome != "complete":
        yield f"the last session is {run.sessions[-1].outcome}"
    if not (folder / "report.md").exists():
        yield "no report at the end"
