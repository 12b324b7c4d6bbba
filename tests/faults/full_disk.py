"""Row 5: disk full, read-only, quota, I/O error at every write of a run and of a report.

A hook on what Python opens, makes and renames refuses from the n-th write on, or that one alone,
with the errors that a file system gives; RLIMIT_FSIZE has the kernel itself refuse.
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
from tests.faults.matrix import Row, Try, so_many
from tests.faults.runs import (
    Place,
    damaged,
    ended,
    forked,
    kept,
    none_left,
    shortfalls,
    unfinished,
    workers,
)

POINTS = 100
# None: for good; else so many writes
WAYS = ((errno.ENOSPC, None), (errno.EIO, 1), (errno.EROFS, None), (errno.EDQUOT, None))
EVENTS = ("open", "os.mkdir", "os.rename", "os.symlink", "os.chmod")
# less than what run.json takes; the limit holds for the command's own output as well
LIMITS_BYTES = (512, 4_096)
# the line that a run says when a trial is done
MEASURED = re.compile(r"^\d+/\d+ .*: ok, ", re.MULTILINE)
PLAN = ("--profile=smoke", "--workload=mlp-512", "--seeds=0")


@dataclass(slots=True)
class Refusing:
    """Refuses the `number`-th write below `root`, and so many that follow (None: all)."""

    root: Path
    number: int
    error: int
    most: int | None
    seen: int = 0

    def start(self) -> None:
        """From now on, in this process, which ends with it."""
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
        self.seen += 1
        late = self.seen - self.number
        if late >= 0 and (self.most is None or late < self.most):
            raise OSError(self.error, os.strerror(self.error), path)


def full_disk(share: float, folder: Path) -> Iterator[Try]:
    place = Place.make(folder)
    last = writes_of_a_run(place, folder / "counted")
    points = so_many(POINTS, share)
    for point in range(points):
        error, most = WAYS[point % len(WAYS)]
        number = 1 + point * last // points
        refusing = Refusing(root=folder, number=number, error=error, most=most)
        told = f"write {number} of {last}, {errno.errorcode[error]}"
        yield one_run(place, folder / f"run-{point}", refusing.start, told)
    for limit in LIMITS_BYTES[: so_many(len(LIMITS_BYTES), share)]:
        first = partial(limited, limit)
        yield one_run(place, folder / f"limit-{limit}", first, f"files of {limit} bytes at most")
    for point in range(1, 1 + so_many(12, share)):
        yield one_report(place, folder / "counted", point)


def limited(most_bytes: int) -> None:
    """No file of this process or its children grows beyond that."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, most_bytes))


def writes_of_a_run(place: Place, folder: Path) -> int:
    """How many there are, told by a run in which none is refused."""
    told = place.root / "writes"
    counting = Refusing(root=place.root, number=sys.maxsize, error=errno.EIO, most=None)

    def start() -> None:
        counting.start()
        patch.object(os, "_exit", lambda code: telling(counting, told, code)).start()

    assert ended(place.run(folder, *PLAN, f"--out={folder}", first=start)) == 0
    return int(told.read_text(encoding="utf-8"))


leave = os._exit


def telling(counting: Refusing, told: Path, code: int) -> None:
    told.write_text(str(counting.seen), encoding="utf-8")
    leave(code)


def one_run(place: Place, folder: Path, first: Callable[[], None], what: str) -> Try:
    with none_left(place):
        code = ended(place.run(folder, *PLAN, f"--out={folder}", first=first))
        wrong = [*refusals(place, folder, code), *damaged(folder)]
        orphans = len(workers(place)) + len(unfinished(place, folder))
        before = kept(folder) | put_back(place, folder)
        measured = len(MEASURED.findall(place.output(folder)))
        if len(before) != measured:
            wrong.append(f"{measured} trials were measured, {len(before)} written or printed")
        if (folder / RUN_FILE).exists():
            again = ended(place.run(folder, f"--resume={folder}"))
        else:
            shutil.rmtree(folder, ignore_errors=True)
            again = ended(place.run(folder, *PLAN, f"--out={folder}"))
    wrong += [*damaged(folder), *shortfalls(folder, again)]
    after = kept(folder)
    return Try(
        wrong=f"{what}: {'; '.join(wrong)}" if wrong else None,
        lost=sum(after.get(name) != content for name, content in before.items()),
        orphans=orphans,
    )


def refusals(place: Place, folder: Path, code: int) -> Iterator[str]:
    """What the command did not say as it should."""
    output = place.output(folder)
    if "Traceback" in output:
        yield f"a traceback: {output.splitlines()[-1]}"
    # a write that need not be: all is there
    if code == 0:
        yield from shortfalls(folder, code)
        return
    if code != 74:
        yield f"exit code {code}. Expected: 74"
    last = output.splitlines()[-1] if output else ""
    if not last.startswith("samestep: cannot "):
        yield f"the last line is {last[:200]!r}"


def put_back(place: Place, folder: Path) -> dict[str, bytes]:
    """Save what was printed, as it was asked for; the records by name."""
    lines = place.output(folder).splitlines(keepends=True)
    found = {}
    for hint, line in pairwise(lines):
        if hint.startswith("cannot write ") and line.startswith("{"):
            path = Path(hint.removeprefix("cannot write ").partition(":")[0])
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(line.encode())
            assert read_record(path).trial.kind == json.loads(line)["trial"]["kind"]
            found[path.name] = line.encode()
    return found


def one_report(place: Place, folder: Path, number: int) -> Try:
    """`samestep report` where it can't write: what was there stays."""
    report, output = folder / "report.md", place.root / f"report-{number}.out"
    report.write_bytes(b"what was there\n")
    refusing = Refusing(root=place.root, number=number, error=errno.ENOSPC, most=None)
    code = ended(forked(["report", str(folder)], output, place.temporary, refusing.start))
    told = output.read_text(encoding="utf-8")
    whole = report.read_bytes() == b"what was there\n" or code == 0
    wrong = [] if code in (0, 74) and "Traceback" not in told else [f"exit code {code}: {told}"]
    return Try(
        wrong="; ".join([*wrong, *([] if whole else ["the old report is damaged"])]) or None,
        orphans=len(unfinished(place, folder)),
    )


ROW = Row(number=5, fault="disk full, read-only, quota, I/O error", tries=full_disk)
