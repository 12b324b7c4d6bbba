"""`python -m tests.faults.soak`: the standard profile for an hour, with random kills.

Workers and the run itself are killed at random times, and the run is resumed, until the time is up.
Other options (`--python`, `--backend`, ...) go to `samestep run`. Exits with 1 if a finished record
was lost or changed, a process or a temporary file was left, or the memory of a run grew.
`--json FILE` writes the result.
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import psutil

from bench.files import write_atomically
from bench.machine.lock import VARIABLE
from bench.record.run import RUN_FILE, read_run
from bench.record.stored import read_records
from reports.text import table
from tests.faults.runs import damages, record_files

PACKAGE = Path(__file__).resolve().parent.parent.parent
SEED = 18
TICK_SECONDS = 0.5
SECONDS_BETWEEN_KILLS = (20.0, 100.0)
RUN_ITSELF = 0.25
OF_WORKERS = (signal.SIGKILL, signal.SIGSEGV, signal.SIGTERM)
# signals with the exit codes that follow; a run can't handle the first
OF_RUNS = {signal.SIGKILL: -9, signal.SIGINT: 130, signal.SIGTERM: 143}
GONE_WITHIN_SECONDS = 5.0
SWEPT_WITHIN_SECONDS = 15.0
MOST_GROWTH_MB = 50.0
# the exit code of a run with failed trials
FAILED = 1


@dataclass(slots=True)
class SoakResult:
    """The result of a soak.

    `growth_mb` is the largest growth of a run's resident memory: from the start of its first worker
    to the peak while a worker ran.
    """

    minutes: float = 0.0
    runs: int = 0
    complete: int = 0
    sessions: int = 0
    longest_session_minutes: float = 0.0
    kills: dict[str, int] = field(default_factory=dict)
    records: dict[str, int] = field(default_factory=dict)
    lost: int = 0
    changed: int = 0
    orphans: int = 0
    growth_mb: float = 0.0
    temporary: int = 0
    wrong: list[str] = field(default_factory=list)

    @property
    def table(self) -> str:
        """Return the result and the requirement of each row as Markdown."""
        return table(["what", "result", "required"], self.rows(), "result,required")

    def rows(self) -> list[list[str]]:
        minutes = f"{self.minutes:.0f} min, {self.longest_session_minutes:.0f} min"
        return [
            ["total time, longest time of a process", minutes, ""],
            ["runs, completed, processes", f"{self.runs}, {self.complete}, {self.sessions}", ""],
            *([f"killed: {what}", str(count), ""] for what, count in sorted(self.kills.items())),
            *([f"records {status}", str(n), ""] for status, n in sorted(self.records.items())),
            ["finished records lost", str(self.lost), "0"],
            ["finished records changed", str(self.changed), "0"],
            ["workers that outlived their run by 5 s", str(self.orphans), "0"],
            ["growth of a run's memory", f"{self.growth_mb:.1f} MB", f"under {MOST_GROWTH_MB:g}"],
            ["temporary files left", str(self.temporary), "0"],
            ["other problems", str(len(self.wrong)), "0"],
        ]

    @property
    def passed(self) -> bool:
        problems = (self.lost, self.changed, self.orphans, self.temporary, len(self.wrong))
        return not any(problems) and self.growth_mb < MOST_GROWTH_MB


def count(counts: dict[str, int], what: str) -> None:
    counts[what] = counts.get(what, 0) + 1


@dataclass(slots=True)
class FinishedRecords:
    """The finished records of a run's folder, with their contents at the last check."""

    folder: Path
    contents: dict[str, bytes] = field(default_factory=dict)

    def check(self, result: SoakResult) -> None:
        now = record_files(self.folder)
        for name, content in self.contents.items():
            result.lost += name not in now
            result.changed += name in now and now[name] != content
        self.contents = now
        result.wrong += damages(self.folder)


@dataclass(slots=True)
class Memory:
    """The resident memory of a run while it has workers, and so without its report."""

    first: int | None = None
    growth: int = 0

    def note(self, resident_bytes: int, workers: int) -> None:
        if workers:
            self.first = resident_bytes if self.first is None else self.first
            self.growth = max(self.growth, resident_bytes - self.first)


class Session:
    """A process of `samestep run`, from its start to its end."""

    def __init__(self, root: Path, folder: Path, arguments: Sequence[str]) -> None:
        temporary = root / "temporary"
        temporary.mkdir(exist_ok=True)
        resumed = (folder / RUN_FILE).exists()
        plan = [f"--resume={folder}"] if resumed else ["--profile=standard", f"--out={folder}"]
        self.log = root / "log"
        self.started = time.monotonic()
        self.memory = Memory()
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "bench", "run", *plan, *arguments],
                cwd=PACKAGE,
                env={**os.environ, "TMPDIR": str(temporary), VARIABLE: str(root)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._parent = psutil.Process(self._process.pid)

    def exit_code(self) -> int | None:
        """Return the exit code, or the signal as a negative number; None while it runs."""
        return self._process.poll()

    def workers(self) -> list[psutil.Process]:
        try:
            return self._parent.children()
        except psutil.NoSuchProcess:
            return []

    def measure(self) -> None:
        workers = self.workers()
        try:
            self.memory.note(self._parent.memory_info().rss, len(workers))
        except psutil.NoSuchProcess:
            return

    def kill(self, number: signal.Signals) -> tuple[int, int]:
        """Send a signal; return the exit code and the number of workers 5 s later."""
        workers = self.workers()
        self._process.send_signal(number)
        # it may still write a report
        code = self._process.wait(timeout=120)
        _, alive = psutil.wait_procs(workers, timeout=GONE_WITHIN_SECONDS)
        for worker in alive:
            worker.kill()
        return code, len(alive)


class Soak:
    def __init__(self, root: Path, arguments: Sequence[str], minutes: float) -> None:
        self._root = root
        self._arguments = arguments
        self._draw = random.Random(SEED)
        self._started = time.monotonic()
        self._due = self._started + 60 * minutes
        self.result = SoakResult()

    def run(self) -> SoakResult:
        while time.monotonic() < self._due:
            self.result.runs += 1
            self._one_run(self._root / f"run-{self.found.runs}")
        if self._temporary():
            # the next run removes the files of a run that was killed at the end
            self._due = time.monotonic() + SWEPT_WITHIN_SECONDS
            self._one_run(self._root / f"run-{self.found.runs}")
        self.result.minutes = (time.monotonic() - self._started) / 60
        self.result.temporary = len(self._temporary())
        if "Traceback" in (self._root / "log").read_text(encoding="utf-8"):
            self.result.wrong.append("a traceback was printed")
        return self.result

    def _one_run(self, folder: Path) -> None:
        """Make a run, and resume it until it is complete or the time is up."""
        records = FinishedRecords(folder)
        while time.monotonic() < self._due:
            session = Session(self._root, folder, self._arguments)
            code = self._follow(session, records)
            records.check(self.result)
            if code in (0, FAILED):
                self.result.complete += 1
                break
        self._count(folder)

    def _follow(self, session: Session, records: FinishedRecords) -> int:
        """Return the exit code of a session that ended, was killed, or had no time left."""
        self.result.sessions += 1
        code = self._until_ended(session, records)
        minutes = (time.monotonic() - session.started) / 60
        self.result.longest_session_minutes = max(self.result.longest_session_minutes, minutes)
        self.result.growth_mb = max(self.result.growth_mb, session.memory.growth / 1e6)
        return code

    def _until_ended(self, session: Session, records: FinishedRecords) -> int:
        next_kill = self._next_kill()
        while (code := session.ended()) is None:
            if time.monotonic() > self._due:
                return self._end(session, signal.SIGINT)
            if time.monotonic() > next_kill:
                next_kill = self._next_kill()
                records.check(self.result)
                if self._draw.random() < RUN_ITSELF:
                    return self._end(session, self._draw.choice(tuple(OF_RUNS)))
                self._kill_worker(session)
            session.measure()
            time.sleep(TICK_SECONDS)
        if code not in (0, FAILED):
            self.result.wrong.append(f"exit code {code}")
        return code

    def _next_kill(self) -> float:
        return time.monotonic() + self._draw.uniform(*SECONDS_BETWEEN_KILLS)

    def _end(self, session: Session, number: signal.Signals) -> int:
        count(self.result.kills, f"run, {number.name}")
        code, alive = session.kill(number)
        self.result.orphans += alive
        # it may have been done at that moment
        if code not in (OF_RUNS[number], 0, FAILED):
            self.result.wrong.append(f"exit code {code} after {number.name}")
        return code

    def _kill_worker(self, session: Session) -> None:
        workers = session.workers()
        if not workers:
            return
        number = self._draw.choice(OF_WORKERS)
        try:
            self._draw.choice(workers).send_signal(number)
        except psutil.NoSuchProcess:
            return
        count(self.result.kills, f"worker, {number.name}")

    def _count(self, folder: Path) -> None:
        if (folder / RUN_FILE).exists():
            for record in read_records(folder, read_run(folder)):
                count(self.result.records, record.status)

    def _temporary(self) -> list[Path]:
        left = (self._root / "temporary").iterdir()
        return [*left, *self._root.glob("run-*/**/.*")]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--folder", type=Path, required=True, help="a new one, for all runs")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write what was found")
    options, arguments = parser.parse_known_args()
    options.folder.mkdir()
    result = Soak(options.folder.resolve(), arguments, options.minutes).run()
    print(result.table)
    for wrong in result.wrong:
        print(wrong)
    if options.json is not None:
        write_atomically(options.json, f"{json.dumps(asdict(result), indent=1)}\n".encode())
    return 0 if result.passed else 1


if __name__ == "__main__":
    sys.exit(main())
