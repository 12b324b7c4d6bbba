"""Row 8: two runs on one machine, or one GPU; a lock whose holder was killed."""

import os
import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

from bench.errors import LockedError
from bench.machine.lock import MACHINE, VARIABLE, hold, holder
from tests.faults.matrix import Row, Try, so_many
from tests.faults.runs import (
    INTERVAL_SECONDS,
    Place,
    damaged,
    ended,
    none_left,
    unfinished,
    workers,
)

TRIES = 10
# as the lock of a GPU is named
GPU = "GPU-5d1c0f2e-0000-4000-8000-000000000000"
LONGEST_SECONDS = 10.0


def locked(share: float, folder: Path) -> Iterator[Try]:
    place, draw = Place.make(folder), random.Random(8)
    # that of the commands
    with patch.dict(os.environ, {VARIABLE: str(folder)}):
        for number in range(so_many(TRIES, share)):
            with none_left(place):
                yield second_run(place, folder / f"first-{number}", folder / f"second-{number}")
                yield after_a_crash(place, folder / f"crash-{number}", draw.uniform(0.0, 0.5))
            yield second_on_a_gpu()


def second_run(place: Place, first: Path, second: Path) -> Try:
    """It is refused and told by whom; the first one goes on."""
    running = place.start(first)
    if not until_held(MACHINE):
        return Try(wrong="the first run never held the lock")
    code, told = ended(place.start(second)), place.output(second)
    wrong = damaged(first)
    if code != 75:
        wrong.append(f"the second: exit code {code}. Expected: 75")
    if str(first) not in told or str(running) not in told or len(told.splitlines()) != 1:
        wrong.append(f"the second is told {told!r}")
    if second.exists():
        wrong.append("the second left a folder")
    if (code := ended(running)) != 0:
        wrong.append(f"the first: exit code {code}")
    return judged(place, first, wrong)


def after_a_crash(place: Place, folder: Path, after_seconds: float) -> Try:
    """A lock of a run that was killed is no one's: the next one is not refused."""
    running = place.start(folder)
    held = until_held(MACHINE)
    time.sleep(after_seconds)
    os.kill(running, signal.SIGKILL)
    ended(running)
    again = folder.with_name(f"{folder.name}-again")
    code = ended(place.start(again))
    wrong = [] if held else ["the first run never held the lock"]
    if code != 0:
        wrong.append(f"after the crash: exit code {code}: {place.output(again)}")
    return judged(place, again, wrong)


def second_on_a_gpu() -> Try:
    """The same of a GPU's lock: held by a process, refused to another, free after a crash."""
    process = os.fork()
    if not process:
        with hold(GPU, purpose="samestep run"):
            time.sleep(LONGEST_SECONDS)
        os._exit(0)
    held = until_held(GPU)
    try:
        with hold(GPU, purpose="another"):
            wrong = "two processes hold one GPU"
    except LockedError as error:
        wrong = None if held and str(process) in str(error) else f"told {error}"
    os.kill(process, signal.SIGKILL)
    ended(process)
    try:
        with hold(GPU, purpose="another"):
            pass
    except LockedError as error:
        wrong = f"after a crash: {error}"
    return Try(wrong=wrong)


def until_held(name: str) -> bool:
    """Wait for somebody to hold the lock; whether somebody does."""
    due = time.monotonic() + LONGEST_SECONDS
    while holder(name) is None:
        if time.monotonic() > due:
            return False
        time.sleep(INTERVAL_SECONDS)
    return True


def judged(place: Place, folder: Path, wrong: list[str]) -> Try:
    orphans = len(workers(place)) + len(unfinished(place, folder))
    return Try(wrong="; ".join(wrong) or None, orphans=orphans)


ROW = Row(number=8, fault="two runs at once, a lock of a killed one", tries=locked)
