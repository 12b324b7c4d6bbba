"""Row 2: if the run itself is killed, its workers end too, and `--resume` finishes the plan."""

import os
import random
import signal
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from bench.record.run import RUN_FILE, read_run
from tests.faults.matrix import Row, Try, share_of
from tests.faults.runs import (
    Place,
    damages,
    kill_workers_at_exit,
    record_files,
    seconds_until_gone,
    shortfalls,
    temporary_files,
    wait_for_end,
    workers,
)

TRIES = 100
REAL_TRIES = 3
GONE_WITHIN_SECONDS = 5.0


def killed_parent(share: float, folder: Path) -> Iterator[Try]:
    return make_tries(Place.make(folder), share_of(TRIES, share))


def real_tries(share: float, folder: Path, interpreters: Mapping[str, str]) -> Iterator[Try]:
    return make_tries(Place.real(folder, interpreters), share_of(REAL_TRIES, share))


def make_tries(place: Place, count: int) -> Iterator[Try]:
    """Kill each run at a different time, evenly over the time of a run."""
    draw = random.Random(2)
    for number in range(count):
        after_seconds = place.seconds * (number + draw.random()) / count
        with kill_workers_at_exit(place):
            yield one_try(place, place.root / f"run-{number}", after_seconds)


def one_try(place: Place, folder: Path, after_seconds: float) -> Try:
    process = place.start(folder)
    time.sleep(after_seconds)
    os.kill(process, signal.SIGKILL)
    wait_for_end(process)
    end_seconds = seconds_until_gone(place, GONE_WITHIN_SECONDS)
    before, wrong = record_files(folder), damages(folder)
    started = time.monotonic()
    if before and not read_run(folder).sessions:
        wrong.append("the time of its records is in no session")
    if (folder / RUN_FILE).exists():
        code = wait_for_end(place.resume(folder), place.longest_seconds)
    else:
        # without a plan there is nothing to resume, and a new run loses nothing
        folder = folder.with_name(f"{folder.name}-again")
        code = wait_for_end(place.start(folder), place.longest_seconds)
    wrong += [*damages(folder), *shortfalls(folder, code)]
    if end_seconds is None:
        wrong.append(f"a worker outlived the run by {GONE_WITHIN_SECONDS:g} s")
    after = record_files(folder)
    return Try(
        wrong="; ".join(wrong) or None,
        lost=sum(after.get(name) != content for name, content in before.items()),
        orphans=len(workers(place)) + len(temporary_files(place, folder)),
        seconds=time.monotonic() - started,
    )


ROW = Row(number=2, fault="run killed, then resumed", tries=killed_parent, real=real_tries)
