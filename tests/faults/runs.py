"""Runs for the matrix: the real command in a process, and the files and processes it leaves."""

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

# the command imports these when it needs them; here they are loaded once for all forks
from bench.run import carry_out, display  # noqa: F401
from reports import report
from reports.results.predictions import images_and_classes
from tests.faults.stand_in import stand_in
from tests.records import BACKENDS

LONGEST_SECONDS = 60.0
INTERVAL_SECONDS = 0.005
# about the time of a complete run
STAND_IN_SECONDS = 1.5
REAL_SECONDS = 120.0


def do_nothing() -> None:
    """Do nothing: the default of what a command does first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """The folder of the tries of a row, and the runs in it.

    `interpreters` are those of the backends, `plan` has the options of a run, and `seconds` is
    about the time that a run takes.
    """

    root: Path
    interpreters: Mapping[str, str]
    plan: Sequence[str]
    seconds: float

    @classmethod
    def make(cls, root: Path) -> "Place":
        """Return a place with a script as backends: 2 certificates, 4 rounds, 4 trainings."""
        (root / "temporary").mkdir()
        return cls(
            root=root,
            interpreters=dict.fromkeys(BACKENDS, stand_in(root)),
            plan=("--rounds=4", "--seeds=0,1"),
            seconds=STAND_IN_SECONDS,
        )

    @classmethod
    def real(cls, root: Path, interpreters: Mapping[str, str]) -> "Place":
        """Return a place with real backends: each has a certificate, a round and a training."""
        (root / "temporary").mkdir()
        return cls(
            root=root,
            interpreters=interpreters,
            plan=("--rounds=1", "--seeds=0", f"--backend={','.join(interpreters)}"),
            seconds=REAL_SECONDS,
        )

    @property
    def interpreter(self) -> str:
        """Return the script that takes the place of the backends."""
        return self.interpreters[BACKENDS[0]]

    @property
    def longest_seconds(self) -> float:
        """Return the longest time of a run, on a machine with other work."""
        return LONGEST_SECONDS + 6 * self.seconds

    @property
    def temporary(self) -> Path:
        return self.root / "temporary"

    def run(self, folder: Path, *arguments: str, first: Callable[[], object] = do_nothing) -> int:
        """Start `samestep run` on this folder, after `first`; return its process."""
        pythons = [f"--python={name}={python}" for name, python in self.interpreters.items()]
        output = self.root / f"{folder.name}.out"
        return fork_command(["run", *arguments, *pythons], output, self.temporary, first)

    def start(self, folder: Path, first: Callable[[], object] = do_nothing) -> int:
        """Start a new run, with one cell of each backend; return its process."""
        plan = ("--profile=smoke", "--workload=mlp-512", *self.plan)
        return self.run(folder, *plan, f"--out={folder}", first=first)

    def resume(self, folder: Path) -> int:
        return self.run(folder, f"--resume={folder}")

    def output(self, folder: Path) -> str:
        return (self.root / f"{folder.name}.out").read_text(encoding="utf-8")


def fork_command(
    arguments: Sequence[str],
    output: Path,
    temporary: Path,
    first: Callable[[], object] = do_nothing,
) -> int:
    """Run the command in a child of this process, which has imported everything already."""
    data = load_data()
    output.touch()
    process = os.fork()
    if process:
        return process
    # the child, which never returns
    try:
        command(arguments, output, temporary, data, first)
    finally:
        os._exit(70)


@cache
def load_data() -> mnist.Mnist:
    """Return the data set; read it and the report's images once for all children."""
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
    # pytest replaces these files
    sys.stdout, sys.stderr = (os.fdopen(n, "w", buffering=1, closefd=False) for n in (1, 2))
    os.environ[VARIABLE] = str(temporary.parent)
    os.environ["TMPDIR"] = tempfile.tempdir = str(temporary)
    sys.argv = ["samestep", *arguments]
    # a shell ignores SIGINT for jobs in the background
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # these parts are tested elsewhere and would take most of the time
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
    except SystemExit as exit_:
        sys.stdout.flush()
        os._exit(exit_.code if isinstance(exit_.code, int) else 70)


def wait_for_end(process: int, most_seconds: float = LONGEST_SECONDS) -> int:
    """Wait for a process; return its exit code, or a negative number for the signal."""
    due = time.monotonic() + most_seconds
    while time.monotonic() < due:
        pid, status = os.waitpid(process, os.WNOHANG)
        if pid:
            return os.waitstatus_to_exitcode(status)
        time.sleep(INTERVAL_SECONDS)
    raise TimeoutError(f"process {process} goes on")


def wait_for_output(place: Place, folder: Path) -> None:
    """Return when the run on this folder has printed something, and so is at work."""
    due = time.monotonic() + LONGEST_SECONDS
    while not place.output(folder):
        if time.monotonic() > due:
            raise TimeoutError(f"no output of the run in {folder}")
        time.sleep(INTERVAL_SECONDS)


def workers(place: Place) -> list[int]:
    """Return every worker of the runs here, which has its temporary folder in this place."""
    return [
        process.pid
        for process in psutil.process_iter(["environ", "status"])
        if Path((process.info["environ"] or {}).get("TMPDIR", "/")).parent == place.temporary
        and process.info["status"] != psutil.STATUS_ZOMBIE
    ]


def seconds_until_gone(place: Place, most: float) -> float | None:
    """Return the time until the last worker ends; None if a worker outlives `most` seconds."""
    started = time.monotonic()
    while workers(place):
        if time.monotonic() - started > most:
            return None
        time.sleep(INTERVAL_SECONDS)
    return time.monotonic() - started


def record_files(folder: Path) -> dict[str, bytes]:
    """Return the contents of a run's records, by name; none if there is no run."""
    return {path.name: path.read_bytes() for path in sorted((folder / RECORDS).glob("*.json"))}


def damages(folder: Path) -> list[str]:
    """Return the errors of reading the run's files."""
    errors = []
    if (folder / RUN_FILE).exists():
        try:
            read_run(folder)
        except SamestepError as error:
            errors.append(str(error))
    for name in record_files(folder):
        try:
            read_record(folder / RECORDS / name)
        except SamestepError as error:
            errors.append(str(error))
    return errors


def temporary_files(place: Place, folder: Path) -> list[str]:
    """Return the temporary files and folders that are left."""
    return [str(path) for path in (*place.temporary.iterdir(), *folder.rglob(".*"))]


@contextmanager
def kill_workers_at_exit(place: Place) -> Iterator[None]:
    """Kill the workers of a try when it ends, in any way."""
    try:
        yield
    finally:
        for process in workers(place):
            os.kill(process, 9)


def shortfalls(folder: Path, code: int) -> Iterator[str]:
    """Yield what a resumed run lacks at its end."""
    if code != 0:
        yield f"exit code {code} at the end"
        return
    run = read_run(folder)
    good = sum(record.status == "ok" for record in read_records(folder, run))
    if good != len(run.trials):
        yield f"{good} of {len(run.trials)} trials are ok at the end"
    if run.sessions[-1].outcome != "complete":
        yield f"the last session is {run.sessions[-1].outcome}"
    if not (folder / "report.md").exists():
        yield "no report at the end"
