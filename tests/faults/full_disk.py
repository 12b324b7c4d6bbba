"""Row 5: a run and a report survive a full or read-only disk, a quota and I/O errors at any write.

A hook on the files that Python opens, makes and renames refuses the n-th write, or all writes from
the n-th on, with the errors of a file system. With RLIMIT_FSIZE the kernel refuses.
"""

import errno
import json
import os
import re
import resource
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any
from unittest.mock import patch

from bench.record import read_record
from bench.record.run import RUN_FILE
from tests.faults.matrix import Row, Try, share_of
from tests.faults.runs import (
    Place,
    damages,
    fork_command,
    kill_workers_at_exit,
    record_files,
    shortfalls,
    temporary_files,
    wait_for_end,
    workers,
)

POINTS = 100
# an error, and the number of writes that it concerns; None if all that follow
WAYS = ((errno.ENOSPC, None), (errno.EIO, 1), (errno.EROFS, None), (errno.EDQUOT, None))
EVENTS = ("open", "os.mkdir", "os.rename", "os.symlink", "os.chmod")
# less than run.json needs; the limit also holds for the command's output
LIMITS_BYTES = (512, 4_096)
# the line that a run prints at the end of a trial
MEASURED = re.compile(r"^\d+ of \d+.*: (?:checking|timing|training) ", re.MULTILINE)
PLAN = ("--profile=smoke", "--workload=mlp-512", "--seeds=0")


@dataclass(slots=True)
class WriteRefusal:
    """A hook that refuses `most` writes below `root` from the `number`-th on (None: all)."""

    root: Path
    number: int
    error: int
    most: int | None
    writes: int = 0

    def start(self) -> None:
        """Install the hook in this process, until the process ends."""
        sys.addaudithook(self.look)
        patch.object(os, "fsync", partial(self.write, os.fsync)).start()

    def look(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event in EVENTS and self.is_write(event, arguments):
            self.refuse(str(arguments[0]))

    def is_write(self, event: str, arguments: tuple[Any, ...]) -> bool:
        path = arguments[0]
        if not isinstance(path, (str, os.PathLike)) or not str(path).startswith(str(self.root)):
            return False
        return event != "open" or bool(arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))

    def write(self, function: Callable[[int], None], descriptor: int) -> None:
        self.refuse(None)
        function(descriptor)

    def refuse(self, path: str | None) -> None:
        self.writes += 1
        late = self.writes - self.number
        if late >= 0 and (self.most is None or late < self.most):
            raise OSError(self.error, os.strerror(self.error), path)


def full_disk(share: float, folder: Path) -> Iterator[Try]:
    place = Place.make(folder)
    last = count_writes(place, folder / "counted")
    points = share_of(POINTS, share)
    for point in range(points):
        error, most = WAYS[point % len(WAYS)]
        number = 1 + point * last // points
        refusal = WriteRefusal(root=folder, number=number, error=error, most=most)
        what = f"write {number} of {last}, {errno.errorcode[error]}"
        yield one_run(place, folder / f"run-{point}", refusal.start, what)
    for limit in LIMITS_BYTES[: share_of(len(LIMITS_BYTES), share)]:
        first = partial(limit_files, limit)
        yield one_run(place, folder / f"limit-{limit}", first, f"files of {limit} bytes at most")
    for point in range(1, 1 + share_of(12, share)):
        yield one_report(place, folder / "counted", point)


def limit_files(most_bytes: int) -> None:
    """Limit the size of the files of this process and its children."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, most_bytes))


def count_writes(place: Place, folder: Path) -> int:
    """Return the number of writes of a run in which no write is refused."""
    file = place.root / "writes"
    counting = WriteRefusal(root=place.root, number=sys.maxsize, error=errno.EIO, most=None)

    def start() -> None:
        counting.start()
        patch.object(os, "_exit", lambda code: note_and_exit(counting, file, code)).start()

    assert wait_for_end(place.run(folder, *PLAN, f"--out={folder}", first=start)) == 0
    return int(file.read_text(encoding="utf-8"))


leave = os._exit


def note_and_exit(counting: WriteRefusal, file: Path, code: int) -> None:
    file.write_text(str(counting.writes), encoding="utf-8")
    leave(code)


def one_run(place: Place, folder: Path, first: Callable[[], None], what: str) -> Try:
    with kill_workers_at_exit(place):
        code = wait_for_end(place.run(folder, *PLAN, f"--out={folder}", first=first))
        wrong = [*refusals(place, folder, code), *damages(folder)]
        orphans = len(workers(place)) + len(temporary_files(place, folder))
        before = record_files(folder) | put_back(place, folder)
        measured = len(MEASURED.findall(place.output(folder)))
        if len(before) != measured:
            wrong.append(f"{measured} trials were measured, {len(before)} written or printed")
        if (folder / RUN_FILE).exists():
            again = wait_for_end(place.run(folder, f"--resume={folder}"))
        else:
            shutil.rmtree(folder, ignore_errors=True)
            again = wait_for_end(place.run(folder, *PLAN, f"--out={folder}"))
    wrong += [*damages(folder), *shortfalls(folder, again)]
    after = record_files(folder)
    return Try(
        wrong=f"{what}: {'; '.join(wrong)}" if wrong else None,
        lost=sum(after.get(name) != content for name, content in before.items()),
        orphans=orphans,
    )


def refusals(place: Place, folder: Path, code: int) -> Iterator[str]:
    """Yield what is wrong with the output or the exit code of the command."""
    output = place.output(folder)
    if "Traceback" in output:
        yield f"a traceback: {output.splitlines()[-1]}"
    # the refused write was not necessary: everything is there
    if code == 0:
        yield from shortfalls(folder, code)
        return
    if code != 74:
        yield f"exit code {code}. Expected: 74"
    last = output.splitlines()[-1] if output else ""
    if not last.startswith("samestep: cannot "):
        yield f"the last line is {last[:200]!r}"


def put_back(place: Place, folder: Path) -> dict[str, bytes]:
    """Save the printed records as the output asks the user to; return them by name."""
    lines = place.output(folder).splitlines(keepends=True)
    saved = {}
    for hint, line in pairwise(lines):
        if hint.startswith("cannot write ") and line.startswith("{"):
            path = Path(hint.removeprefix("cannot write ").partition(":")[0])
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(line.encode())
            assert read_record(path).trial.kind == json.loads(line)["trial"]["kind"]
            saved[path.name] = line.encode()
    return saved


def one_report(place: Place, folder: Path, number: int) -> Try:
    """Run `samestep report` with refused writes: the old report stays."""
    report, output = folder / "report.md", place.root / f"report-{number}.out"
    report.write_bytes(b"what was there\n")
    refusal = WriteRefusal(root=place.root, number=number, error=errno.ENOSPC, most=None)
    code = wait_for_end(
        fork_command(["report", str(folder)], output, place.temporary, refusal.start)
    )
    text = output.read_text(encoding="utf-8")
    whole = report.read_bytes() == b"what was there\n" or code == 0
    wrong = [] if code in (0, 74) and "Traceback" not in text else [f"exit code {code}: {text}"]
    return Try(
        wrong="; ".join([*wrong, *([] if whole else ["the old report is damaged"])]) or None,
        orphans=len(temporary_files(place, folder)),
    )


ROW = Row(number=5, fault="disk full, read-only, quota, I/O error", tries=full_disk)
