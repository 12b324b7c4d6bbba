"""Row 8: a second run on one machine or GPU is refused, unless the lock's holder was killed."""

import os
import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

from bench.errors import LockedError
from bench.machine.lock import MACHINE, VARIABLE, hold, holder
from tests.faults.matrix import Row, Try, share_of
from tests.faults.runs import (
    INTERVAL_SECONDS,
    Place,
    damages,
    kill_workers_at_exit,
    temporary_files,
    wait_for_end,
    workers,
)

TRIES = 10
# the name of the lock of a GPU
GPU = "GPU-5d1c0f2e-0000-4000-8000-000000000000"
LONGEST_SECONDS = 10.0


def locks(share: float, folder: Path) -> Iterator[Try]:
    place, draw = Place.make(folder), random.Random(8)
    # the same folder as for the commands
    with patch.dict(os.environ, {VARIABLE: str(folder)}):
        for number in range(share_of(TRIES, share)):
            with kill_workers_at_exit(place):
                yield try_second_run(place, folder / f"first-{number}", folder / f"second-{number}")
                yield try_after_crash(place, folder / f"crash-{number}", draw.uniform(0.0, 0.5))
            yield try_second_on_gpu()


def try_second_run(place: Place, first: Path, second: Path) -> Try:
    """Start a second run: it is refused with the holder's name, and the first run continues."""
    running = place.start(first)
    if not wait_for_holder(MACHINE):
        return Try(wrong="the first run never held the lock")
    code, message = wait_for_end(place.start(second)), place.output(second)
    wrong = damages(first)
    if code != 75:
        wrong.append(f"the second: exit code {code}. Expected: 75")
    names_holder = str(first) in message and str(running) in message
    if not names_holder or len(message.splitlines()) != 1:
        wrong.append(f"the second printed {message!r}")
    if second.exists():
        wrong.append("the second left a folder")
    if (code := wait_for_end(running)) != 0:
        wrong.append(f"the first: exit code {code}")
    return judge(place, first, wrong)


def try_after_crash(place: Place, folder: Path, after_seconds: float) -> Try:
    """Kill a run: it no longer holds its lock, and the next run is not refused."""
    running = place.start(folder)
    held = wait_for_holder(MACHINE)
    time.sleep(after_seconds)
    os.kill(running, signal.SIGKILL)
    wait_for_end(running)
    again = folder.with_name(f"{folder.name}-again")
    code = wait_for_end(place.start(again))
    wrong = [] if held else ["the first run never held the lock"]
    if code != 0:
        wrong.append(f"after the crash: exit code {code}: {place.output(again)}")
    return judge(place, again, wrong)


def try_second_on_gpu() -> Try:
    """Hold a GPU's lock in a process: another is refused, until the first is killed."""
    process = os.fork()
    if not process:
        with hold(GPU, purpose="samestep run"):
            time.sleep(LONGEST_SECONDS)
        os._exit(0)
    held = wait_for_holder(GPU)
    try:
        with hold(GPU, purpose="another"):
            wrong = "two processes hold one GPU"
    except LockedError as error:
        wrong = None if held and str(process) in str(error) else f"refused with {error}"
    os.kill(process, signal.SIGKILL)
    wait_for_end(process)
    try:
        with hold(GPU, purpose="another"):
            pass
    except LockedError as error:
        wrong = f"after a crash: {error}"
    return Try(wrong=wrong)


def wait_for_holder(name: str) -> bool:
    """Wait until a process holds the lock; return whether one does."""
    due = time.monotonic() + LONGEST_SECONDS
    while holder(name) is None:
        if time.monotonic() > due:
            return False
        time.sleep(INTERVAL_SECONDS)
    return True


def judge(place: Place, folder: Path, wrong: list[str]) -> Try:
    orphans = len(workers(place)) + len(temporary_files(place, folder))
    return Try(wrong="; ".join(wrong) or None, orphans=orphans)


ROW = Row(number=8, fault="two runs at once, a lock of a killed one", tries=locks)
